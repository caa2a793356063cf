import { internalized } from './internalized.ts';

/** FNV-1a. */
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
/** The length of a place that holds nothing: no text is so long. */
const NOTHING = 0xff;

/**
 * Decodes texts that come again and again as bytes, such as the names of consumers, and gives the same string object for the same
 * bytes as long as it remembers them: one whose hash is known, so that looking it up costs a tenth of what a new string costs. Memory is
 * bounded by `places` texts of `maxBytes`; a text that falls on the place of another takes it.
 */
export class RecentTexts {
  readonly #mask: number;
  readonly #maxBytes: number;
  /** Side by side: a place is one or two lines of the cache, where a buffer each would be three. */
  readonly #bytes: Buffer;
  readonly #lengths: Uint8Array;
  readonly #texts: string[];

  /** @throws RangeError where `places` is no power of two, or `maxBytes` is not from 1 to 254 */
  constructor(places: number, maxBytes: number) {
    if ((places & (places - 1)) !== 0 || places < 1) throw new RangeError('the number of places must be a power of two');
    if (!(maxBytes >= 1 && maxBytes < NOTHING)) throw new RangeError('texts have from 1 to 254 bytes');
    this.#mask = places - 1;
    this.#maxBytes = maxBytes;
    this.#bytes = Buffer.alloc(places * maxBytes);
    this.#lengths = new Uint8Array(places).fill(NOTHING);
    this.#texts = Array.from({ length: places }, () => '');
  }

  /** The UTF-8 text in `bytes[start, end)`. */
  textOf(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length > this.#maxBytes) return bytes.toString('utf8', start, end);
    let hash = FNV_OFFSET;
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_PRIME);
    // The low bits alone depend on the low bits of each byte only.
    const place = (hash ^ (hash >>> 15)) & this.#mask;
    if (this.#lengths[place] !== length) return this.#remember(place, bytes, start, end);
    const known = this.#bytes;
    const from = place * this.#maxBytes;
    for (let index = 0; index < length; index++) {
      if (known[from + index] !== bytes[start + index]) return this.#remember(place, bytes, start, end);
    }
    return this.#texts[place] ?? '';
  }

  #remember(place: number, bytes: Buffer, start: number, end: number): string {
    const text = internalized(bytes.toString('utf8', start, end));
    bytes.copy(this.#bytes, place * this.#maxBytes, start, end);
    this.#lengths[place] = end - start;
    this.#texts[place] = text;
    return text;
  }
}
