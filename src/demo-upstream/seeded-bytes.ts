/** The same bytes for the same seed, at the price of being guessable (xorshift32, Marsaglia 2003). */
export function seededBytes(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  for (let offset = 0; offset < length; offset += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[offset] = state & 0xff;
  }
  return bytes;
}
