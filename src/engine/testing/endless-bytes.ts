/** A prime, so that no piece of a power of two repeats itself. */
const BLOCK_BYTES = 1_048_573;
const BLOCK = Buffer.alloc(BLOCK_BYTES);
for (let index = 0, state = 1; index < BLOCK_BYTES; index++) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  BLOCK[index] = state >>> 16;
}

/** `length` bytes of a sequence that is cheap to make and to compare, in pieces that share their memory. */
export function* endlessBytes(length: number): Generator<Buffer, void> {
  for (let offset = 0; offset < length; offset += BLOCK_BYTES) yield BLOCK.subarray(0, Math.min(BLOCK_BYTES, length - offset));
}

/** Follows the sequence and throws at the first piece that is wrong; gives how many bytes it had. */
export async function countEndlessBytes(pieces: AsyncIterable<Buffer>): Promise<number> {
  let offset = 0;
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; ) {
      const within = offset % BLOCK_BYTES;
      const size = Math.min(piece.length - start, BLOCK_BYTES - within);
      if (BLOCK.compare(piece, start, start + size, within, within + size) !== 0) throw new Error(`bytes from ${offset} on are wrong`);
      start += size;
      offset += size;
    }
  }
  return offset;
}
