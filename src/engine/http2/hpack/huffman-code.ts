/** The end of a string, which is never sent; no byte. */
export const END_OF_STRING = 256;

/** How many bits the code of each byte has, and of the end of a string (RFC 7541 appendix B). */
const BIT_COUNTS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10,
  12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7,
  7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22,
  23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22,
  23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20,
  24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
const MOST_BITS = 30;

/** The length in bits of the code of each byte and, at `END_OF_STRING`, of the end. */
export const HUFFMAN_BIT_COUNTS: Readonly<Uint8Array> = Uint8Array.from(BIT_COUNTS);

/**
 * The code of each byte, in the low bits. It is canonical (RFC 7541 §5.2): codes of one length follow one another in the order of bytes, and
 * shorter ones come first; so the lengths say all of it.
 */
export const HUFFMAN_CODES: Readonly<Uint32Array> = (() => {
  const codes = new Uint32Array(BIT_COUNTS.length);
  let next = 0;
  for (let bits = 1; bits <= MOST_BITS; bits++) {
    next *= 2;
    for (let symbol = 0; symbol < codes.length; symbol++) if (HUFFMAN_BIT_COUNTS[symbol] === bits) codes[symbol] = next++;
  }
  return codes;
})();
