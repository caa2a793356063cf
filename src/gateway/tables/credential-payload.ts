/** A credential's payload: the index of its consumer (four bytes), then its id in UTF-8; no id for a key written on the consumer. */
export const CREDENTIAL_ID_OFFSET = 4;

export function credentialPayload(consumerIndex: number, credentialId: string | undefined): Buffer {
  const payload = Buffer.allocUnsafe(CREDENTIAL_ID_OFFSET + Buffer.byteLength(credentialId ?? ''));
  payload.writeUInt32LE(consumerIndex, 0);
  if (credentialId !== undefined) payload.write(credentialId, CREDENTIAL_ID_OFFSET);
  return payload;
}
