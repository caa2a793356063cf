import { END_OF_STRING, HUFFMAN_BIT_COUNTS, HUFFMAN_CODES } from '../http2/hpack/huffman-code.ts';
import { STATIC_NAMES, STATIC_VALUES } from '../http2/hpack/static-table.ts';
import type { Field } from './hpack-reading.ts';

const SYMBOLS: ReadonlyMap<string, number> = new Map(
  [...HUFFMAN_CODES].map((code, symbol) => [code.toString(2).padStart(HUFFMAN_BIT_COUNTS[symbol] ?? 0, '0'), symbol]),
);

/** A decoder of RFC 7541 as the text says it, bit by bit and slowly, that the other one is held against. Its list has no limits. */
export class ReferenceHpack {
  readonly #mostBytes: number;
  #tableBytes = 4096;
  #table: Field[] = [];
  #bytes: readonly number[] = [];

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get table(): readonly Field[] {
    return this.#table;
  }

  /** The fields of a block; undefined where it is none. */
  decode(block: Uint8Array): readonly Field[] | undefined {
    this.#bytes = [...block];
    const fields: Field[] = [];
    try {
      for (let updates = 0; this.#bits(0x20) && !this.#bits(0x40) && !this.#bits(0x80); updates++) {
        const size = this.#integer(5);
        if (updates === 2 || size > this.#mostBytes) throw new RangeError('size');
        this.#tableBytes = size;
        this.#evict();
      }
      while (this.#bytes.length > 0) fields.push(this.#field());
      return fields;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #field(): Field {
    if (this.#bits(0x80)) return this.#at(this.#integer(7));
    const isIndexed = this.#bits(0x40);
    if (!isIndexed && this.#bits(0x20)) throw new RangeError('late size');
    const index = this.#integer(isIndexed ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#at(index)[0];
    const field: Field = [name, this.#string()];
    if (isIndexed) this.#table.unshift(field);
    this.#evict();
    return field;
  }

  #at(index: number): Field {
    const field: Field | undefined =
      index < STATIC_NAMES.length ? [STATIC_NAMES[index] ?? '', STATIC_VALUES[index] ?? ''] : this.#table[index - STATIC_NAMES.length];
    if (index === 0 || field === undefined) throw new RangeError('index');
    return field;
  }

  #evict(): void {
    while (this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0) > this.#tableBytes) this.#table.pop();
  }

  #bits(mask: number): boolean {
    return ((this.#bytes[0] ?? 0) & mask) !== 0;
  }

  #byte(): number {
    const byte = this.#bytes[0];
    if (byte === undefined) throw new RangeError('cut off');
    this.#bytes = this.#bytes.slice(1);
    return byte;
  }

  #integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    const first = this.#byte() & most;
    if (first < most) return first;
    for (let value = first, factor = 1; factor < 2 ** 28; factor *= 128) {
      const byte = this.#byte();
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
    throw new RangeError('integer');
  }

  #string(): string {
    const isHuffman = this.#bits(0x80);
    const length = this.#integer(7);
    if (length > this.#bytes.length) throw new RangeError('cut off');
    const bytes = this.#bytes.slice(0, length);
    this.#bytes = this.#bytes.slice(length);
    return isHuffman ? huffmanText(bytes) : Buffer.from(bytes).toString('latin1');
  }
}

function huffmanText(bytes: readonly number[]): string {
  let text = '';
  let code = '';
  for (const bit of bytes.flatMap((byte) => [...byte.toString(2).padStart(8, '0')])) {
    code += bit;
    const symbol = SYMBOLS.get(code);
    if (symbol === undefined) continue;
    if (symbol === END_OF_STRING) throw new RangeError('end of string');
    text += String.fromCharCode(symbol);
    code = '';
  }
  if (code.length > 7 || code.includes('0')) throw new RangeError('padding');
  return text;
}
