import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { ByteReader } from './byte-reader.ts';
import { type HeaderPairs, readMessageBody, readMessageHead, valuesOf } from './http-message.ts';

/** One response, read strictly. */
export interface RawResponse {
  readonly status: number;
  readonly reasonPhrase: string;
  readonly headers: HeaderPairs;
  readonly body: Buffer;
  readonly trailers: HeaderPairs;
  /** The only value of a header, or undefined. A repeated header fails the test. */
  header(name: string): string | undefined;
  text(): string;
}

/** A TCP connection on which a test decides about every byte. */
export class RawConnection {
  readonly socket: Socket;
  readonly #reader: ByteReader;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#reader = new ByteReader(socket);
  }

  /** Text is sent as latin1: one byte per character. */
  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Ends this side and goes on reading. */
  end(): this {
    this.socket.end();
    return this;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Received, but not yet read. */
  get unread(): Buffer {
    return this.#reader.unread;
  }

  /** The next response, interim ones too. `method`: of its request, as `HEAD` has no body. */
  async readResponse(method = 'GET'): Promise<RawResponse> {
    const head = await readMessageHead(this.#reader);
    assert.ok(head !== undefined, 'the connection ended where a response should follow');
    const match = /^HTTP\/1\.1 ([1-5][0-9]{2}) ([\x20-\x7e]*)$/.exec(head.startLine);
    assert.ok(match !== null, `a status line should stand here: ${JSON.stringify(head.startLine)}`);
    const status = Number(match[1]);
    const { headers } = head;
    const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
    const { body, trailers } = bodiless
      ? { body: Buffer.alloc(0), trailers: [] }
      : await readMessageBody(this.#reader, headers, { toEnd: true });
    return {
      status,
      reasonPhrase: match[2] ?? '',
      headers,
      body,
      trailers,
      header: (name) => onlyValue(headers, name),
      text: () => body.toString('utf8'),
    };
  }

  /** Everything that comes until the other side ends or resets the connection. */
  async readUntilClose(): Promise<Buffer> {
    return this.#reader.readToEnd();
  }
}

/** Connects, and is closed when the test ends. */
export async function openRawConnection(
  test: Pick<TestContext, 'after'>,
  target: { readonly port: number; readonly host?: string },
): Promise<RawConnection> {
  const socket = connect({ port: target.port, host: target.host ?? '127.0.0.1', noDelay: true });
  test.after(() => socket.destroy());
  await once(socket, 'connect');
  return new RawConnection(socket);
}

/** Sends all pieces at once and gives everything that comes until the other side ends, one character per byte. */
export async function exchangeRaw(
  test: Pick<TestContext, 'after'>,
  target: { readonly port: number; readonly host?: string },
  ...pieces: readonly (string | Uint8Array)[]
): Promise<string> {
  const connection = await openRawConnection(test, target);
  for (const piece of pieces) connection.send(piece);
  return (await connection.readUntilClose()).toString('latin1');
}

function onlyValue(headers: HeaderPairs, name: string): string | undefined {
  const values = valuesOf(headers, name);
  assert.ok(values.length <= 1, `${name} stands ${values.length} times`);
  return values[0];
}
