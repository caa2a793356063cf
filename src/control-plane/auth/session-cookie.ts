/** Name of the cookie that signs a browser in. The prefix makes browsers refuse it without Secure, or with a Domain (RFC 6265bis). */
export const SESSION_COOKIE = '__Host-portcullis';

/** The `Set-Cookie` value that signs a browser in for at most `maxAgeSeconds`. */
export function sessionCookie(value: string, maxAgeSeconds: number): string {
  return `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; Secure; SameSite=Strict`;
}

/** The `Set-Cookie` value that takes the cookie away again. */
export const NO_SESSION_COOKIE = sessionCookie('', 0);

/** A cookie's value from a `Cookie` header; undefined where it is absent, empty or there twice. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '').split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });
  const [value] = values;
  return values.length === 1 && value !== '' ? value : undefined;
}
