/** Well below what a socket takes without asking for a pause, which is 64 KiB, in text of up to two bytes a character. */
const LARGE_CHARACTERS = 16_384;

/**
 * Whether a client has to connect anew after an answer, because it is large, or of unknown size.
 *
 * While the socket has not taken the whole of an answer, Node pauses its parser after the first piece of the next request; on TLS the pieces behind it
 * reach the paused parser all the same, which fails with HPE_PAUSED, and Node resets the connection (26.10: one in six of large writes that follow each other).
 */
export function isLastOfConnection(payload: unknown): boolean {
  if (typeof payload === 'string') return payload.length > LARGE_CHARACTERS;
  if (Buffer.isBuffer(payload)) return payload.length > LARGE_CHARACTERS;
  return typeof payload === 'object' && payload !== null;
}
