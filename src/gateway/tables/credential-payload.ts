/** A credential's payload begins with the index of its consumer. */
export const CREDENTIAL_ID_OFFSET = 4;
/** Set in the first word when data follows the id; indexes are smaller. */
const DATA_FLAG = 0x80000000;
/** What is left of the first word without the flag. */
export const CONSUMER_INDEX_MASK = 0x7fffffff;
/** The length of the data stands behind it. */
const DATA_LENGTH_BYTES = 4;

/**
 * A credential's payload: the index of its consumer (four bytes), then its id in UTF-8; no id for a key written on the consumer. With data
 * its text and the text's length follow, and the first word says so: keys that need no data cost nothing for those that do.
 */
export function credentialPayload(consumerIndex: number, credentialId: string | undefined, dataText?: string): Buffer {
  const idEnd = CREDENTIAL_ID_OFFSET + Buffer.byteLength(credentialId ?? '');
  const dataLength = dataText === undefined ? 0 : Buffer.byteLength(dataText);
  const payload = Buffer.allocUnsafe(dataText === undefined ? idEnd : idEnd + dataLength + DATA_LENGTH_BYTES);
  payload.writeUInt32LE(dataText === undefined ? consumerIndex : (consumerIndex | DATA_FLAG) >>> 0, 0);
  if (credentialId !== undefined) payload.write(credentialId, CREDENTIAL_ID_OFFSET);
  if (dataText === undefined) return payload;
  payload.write(dataText, idEnd);
  payload.writeUInt32LE(dataLength, idEnd + dataLength);
  return payload;
}

/** The index in the first word of a payload. */
export function consumerIndexOf(bytes: Buffer, payloadStart: number): number {
  return bytes.readUInt32LE(payloadStart) & CONSUMER_INDEX_MASK;
}

/** Where the id ends, and with it all that says whose a credential is. */
export function endOfCredentialId(bytes: Buffer, payloadStart: number, payloadEnd: number): number {
  if (bytes.readUInt32LE(payloadStart) <= CONSUMER_INDEX_MASK) return payloadEnd;
  return endOfData(payloadEnd) - bytes.readUInt32LE(endOfData(payloadEnd));
}

/** Where the data ends, in a payload that has some. */
export function endOfData(payloadEnd: number): number {
  return payloadEnd - DATA_LENGTH_BYTES;
}
