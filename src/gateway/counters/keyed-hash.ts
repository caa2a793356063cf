/** Bytes of the secret: a key of 64 bits for each of the two lanes. */
export const HASH_SECRET_BYTES = 16;
/** Words of 32 bits in a hash. */
export const HASH_WORDS = 4;

/** Longer texts get a buffer of their own. */
const USUAL_BYTES = 1024;
const WORD_BYTES = 4;
/** At most this many bytes of UTF-8 stand for one character of a text. */
const BYTES_PER_CHARACTER = 3;
const FINAL_ROUNDS = new Int32Array(3);

/**
 * 128 bits of a text under a secret: two HalfSipHash-1-3 (SipHash with words of 32 bits, https://github.com/veorq/SipHash; Linux uses
 * it for its tables) with a key each. Who does not know the secret can choose no texts that meet. The same text of another kind has
 * another hash. Costs half of `crypto.hash`.
 */
export class KeyedHash {
  /** The hash of the last text; overwritten by the next. */
  readonly words = new Int32Array(HASH_WORDS);
  readonly #keys: Int32Array;
  readonly #state = new Int32Array(4);
  readonly #bytes = Buffer.alloc(USUAL_BYTES);
  readonly #input = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset, USUAL_BYTES / WORD_BYTES);

  /** @throws RangeError for a secret that has not `HASH_SECRET_BYTES` */
  constructor(secret: Uint8Array) {
    if (secret.length !== HASH_SECRET_BYTES) throw new RangeError(`a hash secret has ${HASH_SECRET_BYTES} bytes`);
    this.#keys = new Int32Array(Uint8Array.from(secret).buffer);
  }

  /** Puts the hash of `text` into `words`. `kind` is a small number. */
  digest(kind: number, text: string): void {
    const isUsual = text.length * BYTES_PER_CHARACTER <= USUAL_BYTES - 2 * WORD_BYTES;
    const bytes = isUsual ? this.#bytes : Buffer.alloc(text.length * BYTES_PER_CHARACTER + 2 * WORD_BYTES);
    const input = isUsual ? this.#input : new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    const length = bytes.write(text, 'utf8');
    const count = (length >>> 2) + 1;
    // What lies behind the text is of an earlier one.
    input[count - 1] = (input[count - 1] ?? 0) & ((1 << ((length & 3) * 8)) - 1);
    input[count] = (kind << 24) ^ length;
    this.#lane(0, input, count + 1);
    this.#lane(2, input, count + 1);
  }

  #lane(at: number, input: Int32Array, count: number): void {
    const low = this.#keys[at] ?? 0;
    const high = this.#keys[at + 1] ?? 0;
    const state = this.#state;
    state[0] = low;
    state[1] = high ^ 0xee;
    state[2] = low ^ 0x6c79_6765;
    state[3] = high ^ 0x7465_6462;
    compress(state, input, count);
    state[2] ^= 0xee;
    compress(state, FINAL_ROUNDS, FINAL_ROUNDS.length);
    this.words[at] = (state[1] ?? 0) ^ (state[3] ?? 0);
    state[1] ^= 0xdd;
    compress(state, FINAL_ROUNDS, FINAL_ROUNDS.length);
    this.words[at + 1] = (state[1] ?? 0) ^ (state[3] ?? 0);
  }
}

/** One round for each word; words of 0 are rounds without input. */
function compress(state: Int32Array, input: Int32Array, count: number): void {
  let v0 = state[0] ?? 0;
  let v1 = state[1] ?? 0;
  let v2 = state[2] ?? 0;
  let v3 = state[3] ?? 0;
  for (let index = 0; index < count; index++) {
    const word = input[index] ?? 0;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}
