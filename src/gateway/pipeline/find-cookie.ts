/** The first cookie of this exact name in the values of Cookie (RFC 6265 §4.2.1); a value in quotation marks is given with them. */
export function findCookie(values: readonly string[], name: string): string | undefined {
  for (const value of values) {
    for (const pair of value.split(';')) {
      const equals = pair.indexOf('=');
      if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    }
  }
  return undefined;
}
