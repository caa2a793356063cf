import type { ByteStream } from './byte-stream.ts';
import { StampCheck, stampedBytes } from './stamp.ts';

/** A repeatable sequence of numbers from 0 to 1. */
export type RandomSequence = () => number;

/** Whose body it is, and how it travels. */
export interface StampedBody {
  readonly owner: number;
  readonly length: number;
  readonly chunked: boolean;
}

/** Some turns of the event loop: a peer that is slow without a clock. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/** Sends the first `most` bytes of the body in random pieces with pauses; the whole body with its end where `most` is not below its length. */
export async function sendStamped(stream: ByteStream, body: StampedBody, random: RandomSequence, most = body.length): Promise<void> {
  const largest = random() < 0.3 ? 700 : 60_000;
  const end = Math.min(body.length, most);
  for (let offset = 0; offset < end; ) {
    const size = Math.min(end - offset, 1 + Math.floor(random() * largest));
    const piece = stampedBytes(body.owner, offset, size);
    await stream.sendAll(body.chunked ? Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) : piece);
    if (random() < 0.15) await turns(Math.floor(random() * 6));
    offset += size;
  }
  if (body.chunked && most >= body.length) await stream.sendAll(Buffer.from('0\r\n\r\n'));
}

/** Reads a body to its end, checking each byte as it comes, with pauses that let writes pile up. Rejects when the stream ends before. */
export async function readStamped(stream: ByteStream, body: StampedBody, random: RandomSequence): Promise<void> {
  const check = new StampCheck(body.owner);
  const takeUpTo = async (most: number): Promise<number> => {
    const piece = await stream.take((received) => (received.length === 0 ? undefined : Math.min(received.length, most)));
    check.take(piece);
    if (random() < 0.05) {
      stream.socket.pause();
      await turns(Math.floor(random() * 12));
      stream.socket.resume();
    }
    return piece.length;
  };
  if (!body.chunked) {
    while (check.offset < body.length) await takeUpTo(body.length - check.offset);
    return;
  }
  for (;;) {
    const line = await stream.takeThrough('\r\n');
    if (!/^[0-9a-f]+\r\n$/.test(line)) throw new Error(`no chunk size in stream ${body.owner}: ${JSON.stringify(line.slice(0, 60))}`);
    let rest = Number.parseInt(line, 16);
    const last = rest === 0;
    while (rest > 0) rest -= await takeUpTo(rest);
    let behind = await stream.takeThrough('\r\n');
    // The one trailer field that a request may have says whose it is.
    if (last && behind === `x-stamp: ${body.owner}\r\n`) behind = await stream.takeThrough('\r\n');
    if (behind !== '\r\n') throw new Error(`no line break behind a chunk of stream ${body.owner}`);
    if (last) break;
  }
  if (check.offset !== body.length) throw new Error(`stream ${body.owner} ends after ${check.offset} bytes instead of ${body.length}`);
}
