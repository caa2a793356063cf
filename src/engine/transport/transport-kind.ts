/**
 * How the sockets of a server are driven.
 *
 * - `documented`: by documented interfaces of `node:net` alone.
 * - `onread`: accepted connections are read into one buffer that all of a worker share, as outgoing ones always are.
 * - `handle`: as `onread`, and bytes are written to Node's own handle of the socket, past its queue for streams.
 *
 * The last two rest on what Node does and does not promise: `chooseTransport` says whether this Node does it.
 */
export type TransportKind = 'documented' | 'onread' | 'handle';

/** From the quickest to the one that always works. */
export const TRANSPORT_KINDS: readonly TransportKind[] = ['handle', 'onread', 'documented'];
