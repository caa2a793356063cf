/** Most bytes that the framing of one chunk takes. */
export const CHUNK_FRAME_BYTES = 32;

/** Writes `data`, which is not empty, as one chunk of HTTP/1.1 to the beginning of `room`; returns its length. */
export function writeChunk(room: Buffer, data: Uint8Array): number {
  let length = room.write(`${data.length.toString(16)}\r\n`, 0, 'latin1');
  room.set(data, length);
  length += data.length;
  return length + room.write('\r\n', length, 'latin1');
}

/** The end of a chunked body, with trailer lines, one byte a character. */
export function lastChunk(trailers: string): string {
  return `0\r\n${trailers}\r\n`;
}
