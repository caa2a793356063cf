import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { ClientConnection, UpstreamTarget } from '../exchange.ts';
import type { StreamFacts, StreamHandler, StreamOwner, StreamPlan, StreamProtocol } from '../streams/stream-plan.ts';
import { StreamServer, type StreamServerOptions } from '../streams/stream-server.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { ByteStream } from './byte-stream.ts';
import { testTransport } from './test-transport.ts';

type Cleanup = Pick<TestContext, 'after'>;

export const STREAM_PLAN: StreamPlan = { connectTimeoutMs: 5000, sendTimeoutMs: 20_000, idleTimeoutMs: 30_000 };

/** Sends streams to its targets in order, and remembers how they ended. */
export class TestStreamHandler implements StreamHandler {
  targets: readonly UpstreamTarget[] = [];
  decide: (client: ClientConnection) => StreamPlan | ErrorReason | Promise<StreamPlan | ErrorReason> = () => STREAM_PLAN;
  nextTarget: StreamOwner['nextTarget'] = (attempt, previous) => this.targets[attempt] ?? previous ?? 'no_node';
  /** How many streams have got as far as a target. */
  reached = 0;
  readonly clients: { readonly client: ClientConnection; readonly protocol: StreamProtocol }[] = [];
  readonly finished: StreamFacts[] = [];
  #wakeUps: (() => void)[] = [];

  accepted(client: ClientConnection, protocol: StreamProtocol): StreamOwner {
    this.clients.push({ client, protocol });
    return {
      decide: () => this.decide(client),
      nextTarget: (attempt, previous) => this.nextTarget(attempt, previous),
      reached: () => void this.reached++,
      ended: (facts) => {
        this.finished.push({ ...snapshotOf(facts) });
        for (const wakeUp of this.#wakeUps.splice(0)) wakeUp();
      },
    };
  }

  async whenFinished(count: number): Promise<readonly StreamFacts[]> {
    while (this.finished.length < count) await new Promise<void>((resolve) => this.#wakeUps.push(resolve));
    return this.finished;
  }
}

function snapshotOf(facts: StreamFacts): StreamFacts {
  const { client, protocol, target, attempts, bytesFromClient, bytesToClient, reason } = facts;
  const { startedAtMs, decidedAtMs, connectedAtMs, firstByteAtMs, finishedAtMs } = facts;
  const counts = { attempts, bytesFromClient, bytesToClient };
  return { client, protocol, target, reason, ...counts, startedAtMs, decidedAtMs, connectedAtMs, firstByteAtMs, finishedAtMs };
}

/** A stream server on a port of its own with a clock that only the test moves. */
export interface TestStreams {
  readonly server: StreamServer;
  readonly pool: UpstreamPool;
  readonly handler: TestStreamHandler;
  readonly clock: FakeClock;
  readonly port: number;
  readonly failures: unknown[];
  client(): Promise<ByteStream>;
}

export async function startStreams(test: Cleanup, options: Partial<StreamServerOptions> = {}): Promise<TestStreams> {
  const clock = new FakeClock();
  const transport = options.transport ?? testTransport();
  const { admission } = options;
  const pool = options.pool ?? new UpstreamPool({ clock, transport, ...(admission === undefined ? {} : { admission }) });
  const handler = new TestStreamHandler();
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const server = new StreamServer({ handler, clock, onFailure, ...options, transport, pool });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
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
    // Those that are refused may be gone before they know that they were connected.
    await once(socket, 'connect').catch(() => {});
    return stream;
  };
  return { server, pool, handler, clock, port, failures, client };
}
