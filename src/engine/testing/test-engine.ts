import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { Exchange, UpstreamTarget } from '../exchange.ts';
import { HttpServer, type HttpServerOptions } from '../http-server.ts';
import type { TlsChooser } from '../tls/server-terms.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { ByteStream } from './byte-stream.ts';
import type { Cleanup } from './cleanup.ts';
import { planTo, TestHandler } from './test-handler.ts';
import { testTransport } from './test-transport.ts';

/** An upstream whose every byte a test decides: it accepts, and hands the connections over in order. */
export class TestUpstream {
  readonly port: number;
  readonly connections: ByteStream[] = [];
  readonly #waiting: ((stream: ByteStream) => void)[] = [];
  readonly #unclaimed: ByteStream[] = [];

  constructor(port: number) {
    this.port = port;
  }

  accepted(socket: Socket): void {
    const stream = new ByteStream(socket);
    this.connections.push(stream);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#unclaimed.push(stream);
    else waiting(stream);
  }

  /** The next connection that nobody has asked for yet. */
  connection(): Promise<ByteStream> {
    const stream = this.#unclaimed.shift();
    return stream === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(stream);
  }
}

export async function startUpstream(test: Cleanup): Promise<TestUpstream> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => upstream.accepted(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const upstream = new TestUpstream(typeof address === 'object' && address !== null ? address.port : 0);
  test.after(() => {
    server.close();
    for (const connection of upstream.connections) connection.socket.destroy();
  });
  return upstream;
}

/** An engine on a port of its own with a clock that only the test moves. */
export interface TestEngine {
  readonly server: HttpServer;
  readonly pool: UpstreamPool;
  readonly handler: TestHandler;
  readonly clock: FakeClock;
  readonly port: number;
  readonly failures: unknown[];
  /** A new client's connection. */
  client(): Promise<ByteStream>;
}

/** What of an engine is not as usual. */
export interface TestEngineOptions extends Partial<HttpServerOptions> {
  /** Clients speak TLS. */
  readonly tls?: TlsChooser | undefined;
}

export async function startEngine(
  test: Cleanup,
  decide: (exchange: Exchange) => void,
  { tls, ...options }: TestEngineOptions = {},
): Promise<TestEngine> {
  const clock = new FakeClock();
  const transport = options.transport ?? testTransport();
  const pool = options.pool ?? new UpstreamPool({ clock, transport });
  const handler = new TestHandler(decide);
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const server = new HttpServer({ handler, serverHeader: 'Portcullis', clock, onFailure, ...options, transport, pool });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 }, tls);
  const clients: ByteStream[] = [];
  test.after(async () => {
    server.stopAccepting();
    server.destroyAll();
    pool.close();
    for (const client of clients) client.socket.destroy();
    await server.whenIdle();
  });
  const client = async (): Promise<ByteStream> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const stream = new ByteStream(socket);
    clients.push(stream);
    await once(socket, 'connect');
    return stream;
  };
  return { server, pool, handler, clock, port, failures, client };
}

/** An engine that forwards everything to one upstream. */
export interface TestProxy extends TestEngine {
  readonly upstream: TestUpstream;
  readonly target: UpstreamTarget;
}

export async function startProxy(test: Cleanup, options: Partial<HttpServerOptions> = {}): Promise<TestProxy> {
  const upstream = await startUpstream(test);
  const engine = await startEngine(test, (exchange) => exchange.forward(planTo(target)), options);
  const target = engine.pool.target('127.0.0.1', upstream.port);
  return { ...engine, upstream, target };
}

/**
 * A port of 127.0.0.1 on which nothing listens, nor will for the length of the test: it is that of a client, bound before it connected, so no server
 * elsewhere gets it that asks for any free one.
 */
export async function closedPort(test: Cleanup): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const socket = connect({ port: address.port, host: '127.0.0.1', localAddress: '127.0.0.1' });
  test.after(() => {
    socket.destroy();
    server.close();
  });
  const [accepted] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  test.after(() => accepted[0].destroy());
  if (socket.localPort === undefined) throw new Error('the client has no port');
  return socket.localPort;
}
