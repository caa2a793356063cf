import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createTestCertificate } from '../../../../test-support/test-certificate.ts';
import { systemClock } from '../../../lib/clock.ts';
import { HttpServer } from '../../http-server.ts';
import { UpstreamPool } from '../../upstream/upstream-pool.ts';
import { randomSequence } from '../byte-pattern.ts';
import { ByteStream } from '../byte-stream.ts';
import { serveCrossTalk, type UpstreamFindings } from '../cross-talk-upstream.ts';
import { fixedTerms } from '../fixed-terms.ts';
import { planTo, TestHandler } from '../test-handler.ts';
import { type FuzzFindings, runFuzzClient } from './fuzz-client.ts';

/** How large a run is, and over which sockets it goes. */
export interface Http2FuzzOptions {
  readonly seed: number;
  /** Connections in all, of which some are open at the same time. */
  readonly connections: number;
  readonly atOnce: number;
  readonly callsPerConnection: number;
  readonly largestBytes: number;
  /** Clients speak TLS. */
  readonly encrypted: boolean;
}

/** What a run has found. */
export interface Http2FuzzFindings extends FuzzFindings {
  /** What the engine reported of itself. */
  readonly failures: unknown[];
  exchangesInFlight: number;
}

/** Runs hostile clients against an engine of its own, in front of an upstream that checks every byte too. */
export async function runHttp2Fuzz(options: Http2FuzzOptions): Promise<Http2FuzzFindings> {
  const findings: Http2FuzzFindings = { problems: [], failures: [], calls: 0, answered: 0, cancelled: 0, ended: 0, exchangesInFlight: 0 };
  const upstream = await startFuzzUpstream(options.seed, findings.problems);
  const pool = new UpstreamPool({ clock: systemClock });
  const target = pool.target('127.0.0.1', upstream.port);
  const server = new HttpServer({
    handler: new TestHandler((exchange) => exchange.forward(planTo(target))),
    pool,
    serverHeader: 'Portcullis',
    clock: systemClock,
    http2Cleartext: true,
    onFailure: (error) => findings.failures.push(error),
  });
  const terms = options.encrypted ? fixedTerms(await createTestCertificate(), { protocols: ['h2', 'http/1.1'] }) : undefined;
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 }, terms);
  try {
    await runHttp2FuzzClients(options, findings, () => openFuzzSocket(port, options.encrypted));
    await server.whenIdle();
    findings.exchangesInFlight = server.exchangesInFlight;
  } finally {
    server.stopAccepting();
    server.destroyAll();
    pool.close();
    await upstream.stop();
  }
  return findings;
}

/** Runs the clients against whatever `connect` reaches. */
export async function runHttp2FuzzClients(
  { seed, connections, atOnce, callsPerConnection, largestBytes }: Omit<Http2FuzzOptions, 'encrypted'>,
  findings: FuzzFindings,
  connectOne: () => Promise<Socket>,
): Promise<void> {
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun < connections) {
      const number = ++begun;
      const random = randomSequence(seed + number * 104_729);
      await runFuzzClient({ number, calls: callsPerConnection, largestBytes, random, findings, connect: connectOne });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** An upstream that checks every byte of each request, and does what the request wishes. */
export async function startFuzzUpstream(seed: number, problems: string[]): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const findings: UpstreamFindings = { foreign: problems, posts: new Set() };
  const streams = new Set<ByteStream>();
  const serving: Promise<void>[] = [];
  let number = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const stream = new ByteStream(socket);
    streams.add(stream);
    socket.on('close', () => streams.delete(stream));
    const served = serveCrossTalk(stream, randomSequence(seed ^ (++number * 7919)), findings);
    // Half-open ones would stay for as long as the run takes.
    serving.push(served.then(() => socket.destroySoon()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop: async () => {
      server.close();
      for (const stream of streams) stream.socket.destroy();
      await Promise.all(serving);
    },
  };
}

export async function openFuzzSocket(port: number, encrypted: boolean): Promise<Socket> {
  if (!encrypted) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return socket;
  }
  // The certificate is made for this run; what is tested is whose bytes arrive, not whom a client trusts.
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  return socket;
}
