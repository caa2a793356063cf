import { once } from 'node:events';
import http from 'node:http';

/** An upstream in the test's own process, which no kill reaches: it answers 200 with the request's headers. Gives its port. */
export async function startEchoUpstream(scope: { after(task: () => unknown): void }): Promise<number> {
  const server = http.createServer((request, response) => {
    request.resume();
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(request.headers));
  });
  server.keepAliveTimeout = 120_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port');
  return address.port;
}
