/** Scheme, authority, and whatever follows it. */
const URL_START = /^(?:https?:)?\/\/([^/?#\\]*)/i;
/** A host name or an address in brackets, and a port; nobody's name in front, behind which another host could hide. */
const AUTHORITY = /^(\[[^\]\s]+\]|[^\s:@[\]]+)(?::\d*)?$/;

/**
 * The host of a page's URL as a Referer names it, in lower case and without port; undefined for what is no URL of a page. A text with
 * user information before the host is none (RFC 9110 §10.1.3 forbids it).
 */
export function refererHost(referer: string): string | undefined {
  const authority = URL_START.exec(referer)?.[1];
  return authority === undefined ? undefined : AUTHORITY.exec(authority)?.[1]?.toLowerCase();
}
