/** What a form says: a name sent once has a text, one without `=` is true, one that is repeated has a list. */
export type FormFields = Readonly<Record<string, FormValue | readonly FormValue[]>>;
type FormValue = string | true;

const MAX_FIELDS = 10_000;

/** Reads `application/x-www-form-urlencoded` (UTF-8) as `ngx.decode_args` does; undefined for more fields than a form has. */
export function readForm(bytes: Uint8Array): FormFields | undefined {
  const fields: Record<string, FormValue | FormValue[]> = Object.create(null);
  const pairs = Buffer.from(bytes)
    .toString('latin1')
    .split('&', MAX_FIELDS + 1);
  if (pairs.length > MAX_FIELDS) return undefined;
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (name === '') continue;
    const value = equals === -1 ? true : decode(pair.slice(equals + 1));
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else fields[name] = [before, value];
  }
  return fields;
}

/** `+` is a space, a broken escape stands for itself. */
function decode(text: string): string {
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%[0-9A-Fa-f]{2}/g, (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
