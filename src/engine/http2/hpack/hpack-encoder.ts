import { DynamicTable, ENTRY_OVERHEAD_BYTES, type TableEntry } from './dynamic-table.ts';
import { EncodedName } from './encoded-name.ts';
import { INITIAL_TABLE_BYTES } from './hpack-decoder.ts';
import { huffmanByteCount, writeHuffman } from './huffman-encoder.ts';
import { STATIC_FIELD_COUNT } from './static-table.ts';

// First bytes of representations (RFC 7541 §6), and how large an integer their first byte holds.
const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const SIZE_UPDATE = 0x20;
const NEVER_INDEXED = 0x10;
const WITHOUT_INDEXING = 0;
const HUFFMAN = 0x80;
/** Room for the integers of one field. */
const INTEGER_BYTES = 18;
const FIRST_ROOM_BYTES = 512;
/** A block larger than this is rare; the room that it needed goes with it. */
const KEPT_ROOM_BYTES = 16_384;
/** Names that one connection remembers; further ones are written in full each time. */
const MOST_NAMES = 128;

/**
 * Writes the blocks of fields of one connection, in the order in which they are sent (RFC 7541). Fields that come again become one or two
 * bytes; which do is learned (`EncodedName`). Names are in lower case, and all text is one byte a character.
 */
export class HpackEncoder {
  readonly #mostTableBytes: number;
  readonly #table = new DynamicTable(INITIAL_TABLE_BYTES, (entry) => this.#names.get(entry.name)?.forget(entry));
  readonly #names = new Map<string, EncodedName>();
  /** The smallest size since the last block. */
  #lowestTableBytes = INITIAL_TABLE_BYTES;
  #tableBytes: number;
  #room = Buffer.allocUnsafeSlow(FIRST_ROOM_BYTES);
  #length = 0;

  /** `tableBytes` is the most that the table takes here, whatever the peer offers. */
  constructor(tableBytes: number) {
    this.#mostTableBytes = tableBytes;
    this.#tableBytes = INITIAL_TABLE_BYTES;
    this.resizeTable(INITIAL_TABLE_BYTES);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE, from the next block on. */
  resizeTable(peerTableBytes: number): void {
    this.#tableBytes = Math.min(peerTableBytes, this.#mostTableBytes);
    this.#lowestTableBytes = Math.min(this.#lowestTableBytes, this.#tableBytes);
  }

  /** Begins a block. */
  begin(): void {
    if (this.#room.length > KEPT_ROOM_BYTES) this.#room = Buffer.allocUnsafeSlow(FIRST_ROOM_BYTES);
    this.#length = 0;
    const { maxBytes } = this.#table;
    if (this.#lowestTableBytes === maxBytes && this.#tableBytes === maxBytes) return;
    // RFC 7541 §4.2: the peer throws away what it must at the lowest size, so that is told too.
    if (this.#lowestTableBytes < this.#tableBytes && this.#lowestTableBytes < maxBytes) this.#resize(this.#lowestTableBytes);
    this.#resize(this.#tableBytes);
    this.#lowestTableBytes = this.#tableBytes;
  }

  /** Adds a field. A `sensitive` one is never indexed, here or by whoever forwards it (RFC 7541 §7.1.3). */
  write(name: string, value: string, sensitive = false): void {
    this.#reserve(name.length + value.length + INTEGER_BYTES);
    const known = this.#nameOf(name);
    const isSecret = sensitive || known.isSecret(value);
    const index = isSecret ? 0 : this.#find(known, value);
    if (index !== 0) this.#integer(INDEXED, 0x7f, index);
    else if (isSecret) this.#literal(NEVER_INDEXED, 0x0f, known, value);
    else if (!this.#isIndexed(known, value)) this.#literal(WITHOUT_INDEXING, 0x0f, known, value);
    else {
      this.#literal(WITH_INDEXING, 0x3f, known, value);
      const entry = this.#table.add(name, value);
      if (entry !== undefined) known.remember(entry);
    }
  }

  /** The block, which is valid until the next one begins. */
  end(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  #nameOf(name: string): EncodedName {
    let known = this.#names.get(name);
    if (known === undefined) {
      const isRemembered = this.#names.size < MOST_NAMES;
      known = new EncodedName(name, isRemembered);
      if (isRemembered) this.#names.set(name, known);
    }
    return known;
  }

  /** The index of a field that is in one of the tables; 0 where it is not. */
  #find(known: EncodedName, value: string): number {
    const index = known.staticIndexOf(value);
    if (index !== 0) return index;
    const entry = known.find(value);
    return entry === undefined ? 0 : this.#indexOf(entry);
  }

  /** What takes more than a quarter of the table would drive out too much. */
  #isIndexed(known: EncodedName, value: string): boolean {
    const bytes = known.name.length + value.length + ENTRY_OVERHEAD_BYTES;
    return bytes <= this.#table.maxBytes >> 2 && known.isWorthIndexing(value);
  }

  #indexOf(entry: TableEntry): number {
    return STATIC_FIELD_COUNT + 1 + this.#table.ageOf(entry);
  }

  #resize(bytes: number): void {
    this.#table.resize(bytes);
    this.#integer(SIZE_UPDATE, 0x1f, bytes);
  }

  #literal(kind: number, mask: number, known: EncodedName, value: string): void {
    const { newest } = known;
    if (known.staticIndex !== 0) this.#integer(kind, mask, known.staticIndex);
    else if (newest !== undefined) this.#integer(kind, mask, this.#indexOf(newest));
    else {
      this.#integer(kind, mask, 0);
      this.#string(known.name);
    }
    this.#string(value);
  }

  /** RFC 7541 §5.1: `mask` is what the first byte has besides `kind`. */
  #integer(kind: number, mask: number, value: number): void {
    const room = this.#room;
    if (value < mask) {
      room[this.#length++] = kind | value;
      return;
    }
    room[this.#length++] = kind | mask;
    let rest = value - mask;
    for (; rest >= 0x80; rest >>>= 7) room[this.#length++] = (rest & 0x7f) | 0x80;
    room[this.#length++] = rest;
  }

  /** RFC 7541 §5.2: in Huffman code where that is not longer. */
  #string(text: string): void {
    const { length } = text;
    const huffmanBytes = huffmanByteCount(text);
    if (huffmanBytes <= length) {
      this.#integer(HUFFMAN, 0x7f, huffmanBytes);
      this.#length = writeHuffman(this.#room, this.#length, text);
      return;
    }
    this.#integer(0, 0x7f, length);
    this.#length += this.#room.write(text, this.#length, 'latin1');
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#room.length) return;
    const room = Buffer.allocUnsafeSlow(Math.max(needed, this.#room.length * 2));
    this.#room.copy(room, 0, 0, this.#length);
    this.#room = room;
  }
}
