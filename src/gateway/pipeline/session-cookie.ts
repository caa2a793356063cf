/** The cookie of the dashboard's session; it is nobody's business but the control plane's. */
const SESSION_COOKIE = '__Host-portcullis';

/**
 * The value of a Cookie header without the dashboard's session cookie: the same text when it holds none, `''` when nothing is left.
 * Pairs are told apart by `;` (RFC 6265 §4.2.1); everything else stays as it was sent.
 */
export function withoutSessionCookie(value: string): string {
  if (!value.includes(SESSION_COOKIE)) return value;
  const kept = value.split(';').filter((pair) => !isSessionCookie(pair));
  return kept.join(';').trim();
}

function isSessionCookie(pair: string): boolean {
  const equals = pair.indexOf('=');
  const name = equals === -1 ? pair : pair.slice(0, equals);
  return name.trim() === SESSION_COOKIE;
}
