import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { canonicalAddress } from '../lib/canonical-address.ts';
import type { Clock } from '../lib/clock.ts';
import type { Listener } from '../lib/listener.ts';
import { listenOnAll } from '../lib/listening-servers.ts';
import { createServer } from '../lib/node-http.ts';
import { type Random, systemRandom } from '../lib/random.ts';
import { type DemoAnswer, textAnswer } from './demo-answer.ts';
import type { DemoRequest } from './demo-request.ts';
import { answerDemo, type DemoContext } from './demo-routes.ts';
import { readBody } from './read-body.ts';

export interface DemoUpstreamOptions {
  readonly listeners: readonly Listener[];
  readonly clock: Clock;
  /** Default: the system's. */
  readonly random?: Random;
}

export interface RunningDemoUpstream {
  /** The port of each listener, in their order. */
  readonly ports: readonly number[];
  /** Accepts nothing new, lets running requests end for at most `timeoutMs`, cuts the rest. */
  drain(timeoutMs: number): Promise<void>;
}

const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 60_000, maxHeaderSize: 64 * 1024 };
const MAX_CONNECTIONS = 1024;
const MAX_BODY_BYTES = 1024 * 1024;
/** How long a refused body is still taken in, so that the client gets to read the refusal instead of a reset connection. */
const LINGER_MS = 1000;

/**
 * A small echo server: what Portcullis is tried out against without the internet. It answers as httpbin does for `/anything`,
 * `/headers`, `/get`, `/post`, `/status/:code`, `/delay/:seconds` (up to 10), `/bytes/:n` (up to 1 MiB) and `/stream/:n` (up to 100
 * lines). Bodies of requests may have 1 MiB.
 *
 * @throws the system's error (`EADDRINUSE`, …) when a listener cannot be used.
 */
export async function startDemoUpstream(options: DemoUpstreamOptions): Promise<RunningDemoUpstream> {
  const { clock, random = systemRandom } = options;
  const state = { draining: false };
  const context: DemoContext = { random, wait: (durationMs) => new Promise((resolve) => clock.schedule(durationMs, resolve)) };
  const createOne = (): Server => {
    const server = createServer(LIMITS, (request, response) => {
      serve(request, response, context, state).catch(() => response.destroy());
    });
    server.maxConnections = MAX_CONNECTIONS;
    return server;
  };
  const servers = await listenOnAll({ listeners: options.listeners, createServer: createOne });
  return {
    ports: servers.ports,
    async drain(timeoutMs) {
      state.draining = true;
      const cancel = clock.schedule(timeoutMs, () => servers.cutConnections());
      await servers.close();
      cancel();
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  context: DemoContext,
  state: { readonly draining: boolean },
): Promise<void> {
  const body = await readBody(incoming, MAX_BODY_BYTES);
  if (body === undefined) return refuseBody(incoming, response, context);
  const answer = await answerDemo(toDemoRequest(incoming, body), context);
  if (response.destroyed) return;
  if (state.draining) response.shouldKeepAlive = false;
  send(response, answer);
  response.end();
}

async function refuseBody(incoming: IncomingMessage, response: ServerResponse, context: DemoContext): Promise<void> {
  response.shouldKeepAlive = false;
  send(response, textAnswer(413, `Request body too large: the limit is ${MAX_BODY_BYTES} bytes.`));
  incoming.resume();
  await Promise.race([new Promise((resolve) => incoming.once('close', resolve)), context.wait(LINGER_MS)]);
  response.end();
}

function send(response: ServerResponse, answer: DemoAnswer): void {
  const { status, headers, body } = answer;
  if (!Buffer.isBuffer(body)) {
    response.writeHead(status, headers);
    for (const piece of body) response.write(piece);
    return;
  }
  const mayHaveBody = status !== 204 && status !== 304;
  response.writeHead(status, mayHaveBody ? { ...headers, 'Content-Length': String(body.length) } : headers);
  if (mayHaveBody && body.length > 0) response.write(body);
}

function toDemoRequest(incoming: IncomingMessage, body: Buffer): DemoRequest {
  const target = originForm(incoming.url ?? '/');
  const queryStart = target.indexOf('?');
  const { remoteAddress = '', localAddress = '', localPort = 0 } = incoming.socket;
  return {
    method: incoming.method ?? 'GET',
    path: queryStart === -1 ? target : target.slice(0, queryStart),
    query: queryStart === -1 ? '' : target.slice(queryStart + 1),
    headers: pairs(incoming.rawHeaders),
    body,
    remoteAddress: canonicalAddress(remoteAddress) ?? remoteAddress,
    localAuthority: `${canonicalAddress(localAddress) ?? localAddress}:${localPort}`,
  };
}

/** Drops scheme and authority of an absolute-form target (RFC 9112 §3.2.2). */
function originForm(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?![/*])/, '/');
}

function pairs(rawHeaders: readonly string[]): (readonly [string, string])[] {
  return Array.from(
    { length: rawHeaders.length / 2 },
    (_, index) => [rawHeaders[2 * index] ?? '', rawHeaders[2 * index + 1] ?? ''] as const,
  );
}
