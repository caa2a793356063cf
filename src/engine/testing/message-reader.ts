import type { ByteStream } from './byte-stream.ts';

/** A message as the other side of the wire sees it, read by code that shares nothing with the engine. */
export interface ReadMessage {
  readonly startLine: string;
  /** Header lines in order, names as sent. */
  readonly lines: readonly string[];
  readonly body: Buffer;
  /** Trailer lines in order. */
  readonly trailers: readonly string[];
  header(name: string): string | undefined;
}

/** What frames the body beyond the message's own fields. */
export interface ReadOptions {
  /** There is none: an answer to HEAD, 204, 304, 1xx. */
  readonly withoutBody?: boolean;
  /** Without other framing it ends with the connection. */
  readonly untilClose?: boolean;
}

/** Reads one message off the stream. */
export async function readMessage(stream: ByteStream, options: ReadOptions = {}): Promise<ReadMessage> {
  const head = await stream.takeThrough('\r\n\r\n');
  const [startLine = '', ...lines] = head.slice(0, -4).split('\r\n');
  const header = (name: string): string | undefined => fieldValue(lines, name);
  if (options.withoutBody === true) return { startLine, lines, header, body: Buffer.alloc(0), trailers: [] };
  if (header('transfer-encoding') === 'chunked') return { startLine, lines, header, ...(await readChunked(stream)) };
  const length = header('content-length');
  if (length === undefined && options.untilClose === true) {
    return { startLine, lines, header, body: Buffer.from(await stream.takeRest(), 'latin1'), trailers: [] };
  }
  const body = length === undefined ? Buffer.alloc(0) : await stream.takeBytes(Number(length));
  return { startLine, lines, header, body, trailers: [] };
}

function fieldValue(lines: readonly string[], name: string): string | undefined {
  const line = lines.find((candidate) => candidate.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line?.slice(name.length + 1).trim();
}

async function readChunked(stream: ByteStream): Promise<{ body: Buffer; trailers: readonly string[] }> {
  const pieces: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt(await stream.takeThrough('\r\n'), 16);
    if (size === 0) break;
    pieces.push(await stream.takeBytes(size));
    await stream.takeThrough('\r\n');
  }
  const trailers: string[] = [];
  for (let line = await stream.takeThrough('\r\n'); line !== '\r\n'; line = await stream.takeThrough('\r\n'))
    trailers.push(line.slice(0, -2));
  return { body: Buffer.concat(pieces), trailers };
}
