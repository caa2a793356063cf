import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

/** Where clean-up is registered: a test, or all tests of a file. */
export interface TestEnd {
  after(cleanUp: () => unknown): void;
}

/** A request as an upstream got it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Names as they were written, each as often as it came. */
  readonly headerNames: readonly string[];
  readonly body: string;
}

/** An upstream that answers every request with 200 and its own name, and remembers what it got. */
export interface TestUpstream {
  readonly port: number;
  readonly requests: ReceivedRequest[];
}

/** Listens on a free port of 127.0.0.1 until the test ends. */
export async function startTestUpstream(test: TestEnd, name = 'upstream'): Promise<TestUpstream> {
  const requests: ReceivedRequest[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    requests.push({
      method: request.method ?? '',
      target: request.url ?? '',
      headers: request.headers,
      headerNames: request.rawHeaders.filter((_, index) => index % 2 === 0),
      body,
    });
    response.end(name);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port');
  return { port: address.port, requests };
}
