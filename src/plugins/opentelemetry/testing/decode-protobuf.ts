/** A field as it stands on the wire (protobuf.dev, "Encoding"). Varints are given as numbers, all else as its bytes. */
export interface WireField {
  readonly field: number;
  readonly wireType: number;
  readonly value: bigint | Buffer;
}

/** Reads all fields of a message in order. Knows nothing of the writer. @throws Error for what is malformed */
export function decodeFields(bytes: Buffer): readonly WireField[] {
  const fields: WireField[] = [];
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes.readUInt8(position++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a varint has more than ten bytes');
  };
  const take = (length: number): Buffer => {
    if (position + length > bytes.length) throw new Error('a field ends behind its message');
    position += length;
    return bytes.subarray(position - length, position);
  };
  while (position < bytes.length) {
    const tag = Number(varint());
    const wireType = tag & 7;
    const field = tag >>> 3;
    if (field === 0) throw new Error('no field has the number 0');
    if (wireType === 0) fields.push({ field, wireType, value: varint() });
    else if (wireType === 1) fields.push({ field, wireType, value: take(8) });
    else if (wireType === 2) fields.push({ field, wireType, value: take(Number(varint())) });
    else throw new Error(`the wire type ${wireType} is not used here`);
  }
  return fields;
}
