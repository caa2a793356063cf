import type { Readable } from 'node:stream';
import { PortcullisError } from '../../errors/index.ts';

/**
 * The whole body of a request, refused as soon as more than `maxBytes` have arrived.
 *
 * What a client goes on to send after a refusal is read and dropped by Node until the server's request time-out, so that the
 * client gets to see the answer.
 *
 * `take` is told of all that arrives and may decline to have it in memory.
 *
 * @throws PortcullisError `admin_body_too_large`, `admin_busy`, `client_aborted`
 */
export async function readBody(stream: Readable, maxBytes: number, take: (bytes: number) => boolean): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > maxBytes) reject(bodyTooLarge(maxBytes));
    else if (!take(chunk.length)) reject(new PortcullisError('admin_busy'));
  };
  const onEnd = (): void => resolve(Buffer.concat(chunks, length));
  const onBroken = (cause?: unknown): void =>
    reject(new PortcullisError('client_aborted', { detail: 'the request ended half-way', cause }));
  stream.on('data', onData).once('end', onEnd).once('error', onBroken).once('close', onBroken);
  try {
    return await promise;
  } finally {
    stream.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken);
    // A stream that breaks after this point must not take the process down.
    stream.on('error', () => undefined);
    stream.resume();
  }
}

/** The refusal of a body; it names the limit. */
export function bodyTooLarge(maxBytes: number): PortcullisError {
  return new PortcullisError('admin_body_too_large', { publicMessage: `request body too large: the limit is ${maxBytes} bytes` });
}
