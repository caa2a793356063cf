import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Exchange } from '../exchange.ts';
import { HttpServer } from '../http-server.ts';
import type { TransportKind } from '../transport/transport-kind.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { randomSequence } from './byte-pattern.ts';
import { ByteStream } from './byte-stream.ts';
import { runCrossTalkClient } from './cross-talk-client.ts';
import { serveCrossTalk } from './cross-talk-upstream.ts';
import { fixedTerms } from './fixed-terms.ts';
import { forwardChanged } from './forward-changed.ts';
import { planTo, TestHandler } from './test-handler.ts';

/** How large a run is, and over which sockets it goes. */
export interface CrossTalkOptions {
  readonly seed: number;
  /** Clients at the same time. */
  readonly clients: number;
  readonly requestsPerClient: number;
  readonly largestBytes: number;
  readonly transport: TransportKind;
  /** Clients speak TLS. */
  readonly encrypted: boolean;
  /** Bodies are collected, filtered and edited on their way, each request's in another manner; else they go as they come. */
  readonly changes?: boolean;
}

/** What was seen. The run is good when `foreign` and `failures` are empty. */
export interface CrossTalkFindings {
  /** One sentence for each byte, answer or request where it does not belong. */
  readonly foreign: string[];
  /** What the engine reported of itself. */
  readonly failures: unknown[];
  /** Owners of the POST requests that reached the upstream. */
  readonly posts: Set<number>;
  answered: number;
  /** Answers that the gateway made itself. */
  refused: number;
  /** Answers cut off, or left by the client. */
  cut: number;
  exchangesInFlight: number;
}

const MODE = Buffer.from('x-mode', 'latin1');
/** Short where the upstream will be silent, and else so long that no slowness of the machine is taken for silence. */
const SILENT_TIMEOUT_MS = 200;
const READ_TIMEOUT_MS = 60_000;

/** Runs many clients with slow readers, slow writers, aborts, pipelining and errors on both sides through one engine. */
export async function runCrossTalk(options: CrossTalkOptions): Promise<CrossTalkFindings> {
  const { transport, encrypted } = options;
  const findings: CrossTalkFindings = {
    foreign: [],
    failures: [],
    posts: new Set(),
    answered: 0,
    refused: 0,
    cut: 0,
    exchangesInFlight: 0,
  };
  const streams = new Set<ByteStream>();
  const serving: Promise<void>[] = [];
  let upstreamNumber = 0;
  let asked = 0;
  const upstream = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const stream = new ByteStream(socket);
    streams.add(stream);
    socket.on('close', () => streams.delete(stream));
    serving.push(serveCrossTalk(stream, randomSequence(options.seed ^ (++upstreamNumber * 7919)), findings));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const pool = new UpstreamPool({ clock: systemClock, transport });
  const handler = new TestHandler((exchange) => {
    const silent = wantsSilence(exchange);
    const plan = planTo(target, { readTimeoutMs: silent ? SILENT_TIMEOUT_MS : READ_TIMEOUT_MS });
    if (options.changes === true) forwardChanged(exchange, plan, asked++);
    else exchange.forward(plan);
  });
  const server = new HttpServer({
    handler,
    pool,
    serverHeader: 'Portcullis',
    clock: systemClock,
    transport,
    onFailure: (error) => findings.failures.push(error),
  });
  const address = upstream.address();
  const target = pool.target('127.0.0.1', typeof address === 'object' && address !== null ? address.port : 0);
  const terms = encrypted ? fixedTerms(await createTestCertificate()) : undefined;
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 }, terms);
  try {
    const clients = Array.from({ length: options.clients }, (_, index) =>
      runCrossTalkClient({
        number: index + 1,
        requests: options.requestsPerClient,
        largestBytes: options.largestBytes,
        random: randomSequence(options.seed + index * 104_729),
        findings,
        connect: () => openSocket(port, encrypted),
      }),
    );
    await Promise.all(clients);
    await server.whenIdle();
    findings.exchangesInFlight = server.exchangesInFlight;
  } finally {
    server.stopAccepting();
    server.destroyAll();
    pool.close();
    upstream.close();
    for (const stream of streams) stream.socket.destroy();
  }
  await Promise.all(serving);
  return findings;
}

function wantsSilence({ head }: Exchange): boolean {
  const index = head?.findHeader(MODE) ?? -1;
  if (head === undefined || index === -1) return false;
  return head.bytes.toString('latin1', head.headers[index * 4 + 2], head.headers[index * 4 + 3]) === 'be silent';
}

async function openSocket(port: number, encrypted: boolean): Promise<Socket> {
  if (!encrypted) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return socket;
  }
  // The certificate is made for this run; what is tested is whose bytes arrive, not whom a client trusts.
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return socket;
}
