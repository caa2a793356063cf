import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

// Run as: undici-proxy-process.ts <file of "key consumer" lines> <upstream port> <hanging upstream port>
const [keyFile = '', upstreamPort = '', hangingPort = ''] = process.argv.slice(2);
const consumers = new Map(
  readFileSync(keyFile, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line): [string, string] => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
);
const POOL = { connections: 4096, pipelining: 1, keepAliveTimeout: 60_000, bodyTimeout: 0, headersTimeout: 0 };
const service = new Pool(`http://127.0.0.1:${upstreamPort}`, POOL);
const hanging = new Pool(`http://127.0.0.1:${hangingPort}`, POOL);
const REFUSED = Buffer.from('{"message":"Invalid API key in request"}\n');
/** RFC 9110 §7.6.1. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

function headersFor(request: IncomingMessage, consumer: string): string[] {
  const headers: string[] = [];
  const raw = request.rawHeaders;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push(name, raw[index + 1] ?? '');
  }
  headers.push('X-Consumer-Username', consumer);
  return headers;
}

/** Writes what the upstream answers to the client, with back-pressure. */
function relayTo(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the client has gone'));
      });
    },
    onResponseStart(_controller, status, headers) {
      for (const name of HOP_BY_HOP) delete headers[name];
      response.writeHead(status, headers);
    },
    onResponseData(controller, chunk) {
      if (response.write(chunk)) return;
      controller.pause();
      response.once('drain', () => controller.resume());
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  };
}

const server = createServer((request, response) => {
  const key = request.headers.apikey;
  const consumer = typeof key === 'string' ? consumers.get(key) : undefined;
  if (consumer === undefined) {
    response.writeHead(401, { 'Content-Type': 'application/json', 'Content-Length': REFUSED.length }).end(REFUSED);
    request.resume();
    return;
  }
  const target = request.url ?? '/';
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  (target.startsWith('/hang/') ? hanging : service).dispatch(
    {
      path: target,
      method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
      headers: headersFor(request, consumer),
      body: hasBody ? request : null,
    },
    relayTo(response),
  );
});
server.keepAliveTimeout = 3_600_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
process.on('SIGTERM', () => process.exit(0));
