import { DynamicTable, ENTRY_OVERHEAD_BYTES } from './dynamic-table.ts';
import { HPACK, type HpackOutcome } from './hpack-outcome.ts';
import { decodeHuffman, NO_HUFFMAN } from './huffman-decoder.ts';
import { STATIC_FIELD_COUNT, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** How large the table of both sides is at first (RFC 9113 §6.5.2, SETTINGS_HEADER_TABLE_SIZE). */
export const INITIAL_TABLE_BYTES = 4096;

/** What one peer may make us keep. */
export interface HpackLimits {
  /** As SETTINGS_HEADER_TABLE_SIZE tells the peer. */
  readonly tableBytes: number;
  /** As SETTINGS_MAX_HEADER_LIST_SIZE tells the peer: bytes of names and values, and 32 for each field (RFC 9113 §6.5.2). */
  readonly listBytes: number;
  /** How many fields a list may have. */
  readonly pairs: number;
}

// First bytes of representations (RFC 7541 §6).
const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const SIZE_UPDATE = 0x20;
/** The lowest size since the last block, and the one in force (RFC 7541 §4.2). */
const MOST_SIZE_UPDATES = 2;
const HUFFMAN = 0x80;
/** Continuation bytes of an integer: 28 bits, more than any block has bytes. */
const MOST_CONTINUATION_BITS = 28;
const NO_INTEGER = -1;
const NO_BYTES: Buffer = Buffer.alloc(0);
const NO_LIST: string[] = [];
/** Larger ones are made for the one string that needs them. */
const KEPT_ROOM_BYTES = 16_384;
const KEPT_ROOM = Buffer.allocUnsafeSlow(KEPT_ROOM_BYTES);

/**
 * Reads the blocks of fields of one connection, in the order in which they come (RFC 7541). What it keeps between blocks is the dynamic
 * table, so at most the size that was advertised; a block costs time in proportion to its bytes, whatever it refers to. Where less than the
 * initial size is advertised the table still begins with that, as the peer does until it has read the settings.
 */
export class HpackDecoder {
  readonly #limits: HpackLimits;
  readonly #table = new DynamicTable(INITIAL_TABLE_BYTES);
  #bytes = NO_BYTES;
  #position = 0;
  #end = 0;
  #list = NO_LIST;
  #listBytesLeft = 0;
  #pairsLeft = 0;
  #fits = true;

  constructor(limits: HpackLimits) {
    this.#limits = limits;
  }

  /** Appends the fields of the block that lies in `bytes` from `start` up to `end` to `fields`: name and value in turn, one byte a character. */
  decode(bytes: Buffer, start: number, end: number, fields: string[]): HpackOutcome {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#list = fields;
    this.#listBytesLeft = this.#limits.listBytes;
    this.#pairsLeft = this.#limits.pairs;
    this.#fits = true;
    const isBlock = this.#takeSizeUpdates() && this.#takeFields();
    // Nothing of the caller's is kept alive.
    this.#bytes = NO_BYTES;
    this.#list = NO_LIST;
    if (!isBlock) return HPACK.failed;
    return this.#fits ? HPACK.done : HPACK.tooLarge;
  }

  #takeSizeUpdates(): boolean {
    for (let updates = 0; this.#position < this.#end; updates++) {
      const first = this.#bytes[this.#position] ?? 0;
      if ((first & 0xe0) !== SIZE_UPDATE) break;
      this.#position++;
      const size = this.#integer(first, 0x1f);
      if (size === NO_INTEGER || size > this.#limits.tableBytes || updates === MOST_SIZE_UPDATES) return false;
      this.#table.resize(size);
    }
    return true;
  }

  #takeFields(): boolean {
    while (this.#position < this.#end) {
      const first = this.#bytes[this.#position++] ?? 0;
      if (!(first >= INDEXED ? this.#takeIndexed(first) : this.#takeLiteral(first))) return false;
    }
    return true;
  }

  #takeIndexed(first: number): boolean {
    const index = this.#integer(first, 0x7f);
    if (index <= 0) return false;
    if (index <= STATIC_FIELD_COUNT) {
      this.#store(STATIC_NAMES[index] ?? '', STATIC_VALUES[index] ?? '');
      return true;
    }
    const entry = this.#table.at(index - STATIC_FIELD_COUNT - 1);
    if (entry === undefined) return false;
    this.#store(entry.name, entry.value);
    return true;
  }

  #takeLiteral(first: number): boolean {
    const isIndexed = first >= WITH_INDEXING;
    // A change of the table's size stands before all fields (RFC 7541 §4.2).
    if (!isIndexed && first >= SIZE_UPDATE) return false;
    const index = this.#integer(first, isIndexed ? 0x3f : 0x0f);
    if (index === NO_INTEGER) return false;
    // Of a list that is too long only what the table needs is made.
    const isWanted = isIndexed || this.#fits;
    const name = index === 0 ? this.#string(isWanted) : this.#nameAt(index);
    const value = name === undefined ? undefined : this.#string(isWanted);
    if (name === undefined || value === undefined) return false;
    if (isIndexed) this.#table.add(name, value);
    this.#store(name, value);
    return true;
  }

  #nameAt(index: number): string | undefined {
    return index <= STATIC_FIELD_COUNT ? STATIC_NAMES[index] : this.#table.at(index - STATIC_FIELD_COUNT - 1)?.name;
  }

  #store(name: string, value: string): void {
    if (!this.#fits) return;
    this.#listBytesLeft -= name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#pairsLeft--;
    if (this.#listBytesLeft < 0 || this.#pairsLeft < 0) this.#fits = false;
    else this.#list.push(name, value);
  }

  /** The integer whose prefix, `mask`, lies in `first`, and whose rest follows (RFC 7541 §5.1); `NO_INTEGER` where it is too large or cut off. */
  #integer(first: number, mask: number): number {
    let value = first & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < MOST_CONTINUATION_BITS; shift += 7) {
      if (this.#position >= this.#end) return NO_INTEGER;
      const byte = this.#bytes[this.#position++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return NO_INTEGER;
  }

  /** A string literal (RFC 7541 §5.2); empty where it is not wanted, undefined where it is none. */
  #string(isWanted: boolean): string | undefined {
    if (this.#position >= this.#end) return undefined;
    const first = this.#bytes[this.#position++] ?? 0;
    const length = this.#integer(first, 0x7f);
    const start = this.#position;
    if (length === NO_INTEGER || length > this.#end - start) return undefined;
    this.#position = start + length;
    if (!isWanted || length === 0) return '';
    if (first < HUFFMAN) return this.#bytes.toString('latin1', start, start + length);
    // The shortest codes have five bits.
    const most = Math.ceil((length * 8) / 5);
    const room = most <= KEPT_ROOM_BYTES ? KEPT_ROOM : Buffer.allocUnsafeSlow(most);
    const decoded = decodeHuffman(this.#bytes, start, start + length, room);
    return decoded === NO_HUFFMAN ? undefined : room.toString('latin1', 0, decoded);
  }
}
