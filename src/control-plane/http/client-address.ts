import { canonicalAddress } from '../../lib/canonical-address.ts';

/** An address as proxies write it, some with the port. */
const WITH_PORT = /^(?:\[([0-9a-fA-F:.]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5})$/;

/**
 * The canonical address that a request comes from: that of its connection or, where this is a trusted proxy, what it and the trusted proxies
 * before it put at the end of `X-Forwarded-For`. What an untrusted client wrote there itself stands further to the left and is not looked at.
 *
 * An entry that is no address ends the search: the last proxy that is known stands for whoever came through it.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, isTrusted: (address: string) => boolean): string {
  let address = canonicalAddress(peer) ?? peer;
  let end = forwardedFor?.length ?? 0;
  while (end > 0 && isTrusted(address)) {
    const comma = forwardedFor?.lastIndexOf(',', end - 1) ?? -1;
    const before = readAddress(forwardedFor?.slice(comma + 1, end).trim() ?? '');
    if (before === undefined) break;
    address = before;
    end = comma;
  }
  return address;
}

function readAddress(text: string): string | undefined {
  const [, bracketed, withPort] = WITH_PORT.exec(text) ?? [];
  return canonicalAddress(bracketed ?? withPort ?? text);
}
