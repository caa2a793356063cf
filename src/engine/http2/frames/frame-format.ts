/** Bytes in front of each frame's payload (RFC 9113 §4.1). */
export const FRAME_HEAD_BYTES = 9;

/** Longest payload that each side takes unless it has said otherwise (RFC 9113 §4.2), and the longest that is ever sent. */
export const FRAME_BYTES = 16_384;

/** Largest stream number, window and increment (RFC 9113 §5.1.1, §6.9.1). */
export const MOST = 0x7fff_ffff;

/** The windows of a connection and its streams at first (RFC 9113 §6.9.2). */
export const FIRST_WINDOW_BYTES = 65_535;

/** RFC 9113 §3.4 */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Frame types (RFC 9113 §6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames (RFC 9113 §6). */
export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Settings (RFC 9113 §6.5.2, RFC 8441 §3). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** Bytes of one setting. */
export const SETTING_BYTES = 6;

export function uint32At(bytes: Buffer, offset: number): number {
  return (bytes[offset] ?? 0) * 0x100_0000 + ((bytes[offset + 1] ?? 0) << 16) + ((bytes[offset + 2] ?? 0) << 8) + (bytes[offset + 3] ?? 0);
}
