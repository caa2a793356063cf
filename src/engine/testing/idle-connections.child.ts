// Serves in a process of its own, so that what connections cost can be told from what the test itself needs.
import { systemClock } from '../../lib/clock.ts';
import { HttpServer } from '../http-server.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { answerOf, TestHandler } from './test-handler.ts';
import { testTransport } from './test-transport.ts';

const server = new HttpServer({
  handler: new TestHandler((exchange) => exchange.respond(answerOf(200, 'ok'))),
  pool: new UpstreamPool({ clock: systemClock }),
  serverHeader: undefined,
  clock: systemClock,
  transport: testTransport(),
});
const { port } = await server.listen({ host: '127.0.0.1', port: 0 });

process.on('message', () => {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ connections: server.openConnections, bytes: heapUsed + external });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port });
