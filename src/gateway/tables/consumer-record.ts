/** Two lengths stand before the texts of a consumer's record. */
export const CONSUMER_HEAD_BYTES = 8;
/** Stands for a custom id that is absent. */
export const NO_CUSTOM_ID = 0xffffffff;

/** What of a consumer every request needs. */
export interface ConsumerFacts {
  readonly username: string;
  readonly customId: string | undefined;
}

/**
 * A consumer's record: the length in bytes of its name and of its custom id (`NO_CUSTOM_ID` for none), both as UTF-8, and the
 * header lines that tell an upstream about it, ready to be sent. A custom id with control characters gets no line.
 */
export function consumerRecord(consumer: ConsumerFacts): Buffer {
  const username = Buffer.from(consumer.username);
  const customId = Buffer.from(consumer.customId ?? '');
  const customLine =
    consumer.customId !== undefined && isHeaderText(consumer.customId) ? `X-Consumer-Custom-ID: ${consumer.customId}\r\n` : '';
  const lines = Buffer.from(`X-Consumer-Username: ${consumer.username}\r\n${customLine}`);
  const head = Buffer.allocUnsafe(CONSUMER_HEAD_BYTES);
  head.writeUInt32LE(username.length, 0);
  head.writeUInt32LE(consumer.customId === undefined ? NO_CUSTOM_ID : customId.length, 4);
  return Buffer.concat([head, username, customId, lines]);
}

/** Whether a text can stand in a header field: no control character but HTAB (RFC 9110 §5.5). */
export function isHeaderText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}
