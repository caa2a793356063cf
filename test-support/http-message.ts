import assert from 'node:assert/strict';
import type { ByteReader } from './byte-reader.ts';

/** Header fields in the order and spelling in which they came; values one character per byte. */
export type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>;

/** The head of a message, and its bytes. */
export interface MessageHead {
  readonly startLine: string;
  readonly headers: HeaderPairs;
  readonly bytes: Buffer;
}

export interface MessageBody {
  readonly body: Buffer;
  readonly trailers: HeaderPairs;
  /** The body with its framing, as it came over the wire. */
  readonly bytes: Buffer;
}

const LINE_END = '\r\n';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The values of a header, by any spelling of its name. */
export function valuesOf(headers: HeaderPairs, name: string): readonly string[] {
  return headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** Reads a head strictly (RFC 9112 §2 to §5); undefined when the other side ended in front of it. Anything else fails the test. */
export async function readMessageHead(reader: ByteReader): Promise<MessageHead | undefined> {
  const startLine = await reader.readThrough(LINE_END);
  if (startLine === undefined) return undefined;
  const { headers, bytes } = await readFields(reader);
  return { startLine: textOfLine(startLine), headers, bytes: Buffer.concat([startLine, bytes]) };
}

/** Reads the body that a head announces. `toEnd`: without framing it lasts until the other side ends; else it is empty. */
export async function readMessageBody(
  reader: ByteReader,
  headers: HeaderPairs,
  options: { readonly toEnd: boolean },
): Promise<MessageBody> {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  assert.ok(lengths.length + codings.length <= 1, `more than one framing: ${[...lengths, ...codings].join(' | ')}`);
  const [length] = lengths;
  const [coding] = codings;
  if (coding !== undefined) {
    assert.equal(coding.toLowerCase(), 'chunked');
    return readChunks(reader);
  }
  if (length !== undefined) {
    assert.match(length, /^[0-9]+$/);
    const body = await reader.readExactly(Number(length));
    return { body, trailers: [], bytes: body };
  }
  const body = options.toEnd ? await reader.readToEnd() : Buffer.alloc(0);
  return { body, trailers: [], bytes: body };
}

async function readChunks(reader: ByteReader): Promise<MessageBody> {
  const bytes: Buffer[] = [];
  const body: Buffer[] = [];
  for (;;) {
    const sizeLine = await readLine(reader);
    bytes.push(sizeLine);
    const size = /^([0-9a-f]+)(?:;.*)?$/i.exec(textOfLine(sizeLine))?.[1];
    assert.ok(size !== undefined, `a chunk's size should stand here: ${JSON.stringify(textOfLine(sizeLine))}`);
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    const chunk = await reader.readExactly(length + LINE_END.length);
    assert.equal(chunk.toString('latin1', length), LINE_END, 'a chunk should end here');
    bytes.push(chunk);
    body.push(chunk.subarray(0, length));
  }
  const trailers = await readFields(reader);
  return { body: Buffer.concat(body), trailers: trailers.headers, bytes: Buffer.concat([...bytes, trailers.bytes]) };
}

/** Header lines and the empty line behind them. */
async function readFields(reader: ByteReader): Promise<{ readonly headers: HeaderPairs; readonly bytes: Buffer }> {
  const headers: (readonly [string, string])[] = [];
  const lines: Buffer[] = [];
  for (;;) {
    const line = await readLine(reader);
    lines.push(line);
    const text = textOfLine(line);
    if (text === '') return { headers, bytes: Buffer.concat(lines) };
    const colon = text.indexOf(':');
    const name = text.slice(0, colon);
    assert.ok(colon > 0 && TOKEN.test(name), `a header line should stand here: ${JSON.stringify(text)}`);
    headers.push([name, text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')]);
  }
}

async function readLine(reader: ByteReader): Promise<Buffer> {
  const line = await reader.readThrough(LINE_END);
  assert.ok(line !== undefined, 'the connection ended inside a message');
  return line;
}

function textOfLine(line: Buffer): string {
  const text = line.toString('latin1', 0, line.length - LINE_END.length);
  assert.doesNotMatch(text, /[\r\n\0]/, 'a lone line break or NUL in a head');
  return text;
}
