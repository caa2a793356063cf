import { ByteWriter } from '../../lib/byte-writer.ts';

/** Wire types of the encoding. */
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;

const SMALLEST_BYTES = 1024;
const MOST_IN_ONE_BYTE = 0x7f;

/** Writes messages in the wire format of Protocol Buffers (protobuf.dev, "Encoding"). Numbers of fields are below 2^28. */
export class ProtobufWriter {
  readonly #writer = new ByteWriter(Buffer.alloc(0), SMALLEST_BYTES);

  /** What was written; a copy of its own. */
  toBuffer(): Buffer {
    const { bytes, start, position } = this.#writer;
    return Buffer.from(bytes.subarray(start, position));
  }

  string(field: number, text: string): this {
    const length = Buffer.byteLength(text, 'utf8');
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(length);
    const writer = this.#writer;
    writer.ensure(length);
    writer.bytes.write(text, writer.position, length, 'utf8');
    writer.position += length;
    return this;
  }

  bytes(field: number, bytes: Buffer): this {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(bytes.length);
    this.#writer.appendAll(bytes);
    return this;
  }

  /** An enum, or an integer from 0 to 2^53 - 1, of a type without zigzag. */
  integer(field: number, value: number): this {
    this.#tag(field, VARINT);
    this.#varint(value);
    return this;
  }

  boolean(field: number, value: boolean): this {
    return this.integer(field, value ? 1 : 0);
  }

  /** An unsigned integer of 64 bits. */
  fixed64(field: number, value: bigint): this {
    this.#tag(field, FIXED_64);
    const writer = this.#writer;
    writer.ensure(8);
    writer.position = writer.bytes.writeBigUInt64LE(value, writer.position);
    return this;
  }

  double(field: number, value: number): this {
    this.#tag(field, FIXED_64);
    const writer = this.#writer;
    writer.ensure(8);
    writer.position = writer.bytes.writeDoubleLE(value, writer.position);
    return this;
  }

  /** A message inside this one, with all that `write` writes. */
  message(field: number, write: (writer: this) => void): this {
    this.#tag(field, LENGTH_DELIMITED);
    const writer = this.#writer;
    // Most messages have fewer than 128 bytes, whose length takes one byte; the others are moved.
    writer.appendByte(0);
    const bodyAt = writer.length;
    write(this);
    const length = writer.length - bodyAt;
    if (length <= MOST_IN_ONE_BYTE) writer.bytes[writer.start + bodyAt - 1] = length;
    else writer.replace(bodyAt - 1, 1, varintOf(length));
    return this;
  }

  /** Fields that were encoded elsewhere. */
  encoded(fields: Buffer): this {
    this.#writer.appendAll(fields);
    return this;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > MOST_IN_ONE_BYTE; rest = Math.floor(rest / 0x80)) this.#writer.appendByte((rest % 0x80) | 0x80);
    this.#writer.appendByte(rest);
  }
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > MOST_IN_ONE_BYTE; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
