/** The cookie of the dashboard's session; it is nobody's business but the control plane's. */
const SESSION_COOKIE = '__Host-portcullis';
/** A pair of that name with the separator in front of it. */
const SESSION_PAIR = /(?:^|[;,])[ \t]*__Host-portcullis[ \t]*(?:=[^;,]*)?(?=[;,]|$)/g;
const LEADING_SEPARATOR = /^[;,\s]+/;

/**
 * The value of a Cookie header without the dashboard's session cookie: the same text when it holds none, `''` when nothing is left.
 * Pairs end at `;` (RFC 6265 §4.2.1) and at `,`, where older upstreams end them too (RFC 2965); everything else stays as it was sent.
 */
export function withoutSessionCookie(value: string): string {
  if (!value.includes(SESSION_COOKIE)) return value;
  const kept = value.replace(SESSION_PAIR, '');
  return kept === value ? value : kept.replace(LEADING_SEPARATOR, '').trim();
}
