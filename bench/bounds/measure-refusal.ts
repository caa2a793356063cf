import { once } from 'node:events';
import { connect } from 'node:net';
import { HttpServer, UpstreamPool } from '../../src/engine/index.ts';
import { TestAdmission } from '../../src/engine/testing/test-admission.ts';
import { planTo, TestHandler } from '../../src/engine/testing/test-handler.ts';
import { systemClock } from '../../src/lib/clock.ts';

const WARM_UP = 2000;
const REQUESTS = 10_000;
/** Fewer than a server answers on one connection. */
const REQUESTS_PER_CONNECTION = 500;

/** How long a client waits for its 503 when there may be no further connection to an upstream, in milliseconds; both ends in one process. */
export async function measureRefusal(): Promise<{ readonly medianMs: number; readonly p99Ms: number }> {
  const admission = new TestAdmission();
  admission.upstreamLimit = 0;
  const pool = new UpstreamPool({ clock: systemClock, transport: 'handle', admission });
  const target = pool.target('127.0.0.1', 9);
  const handler = new TestHandler((exchange) => exchange.forward(planTo(target)));
  const server = new HttpServer({ handler, pool, serverHeader: 'Portcullis', clock: systemClock, transport: 'handle' });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  let client = connect({ port, host: '127.0.0.1', noDelay: true });
  const times: number[] = [];
  for (let count = 0; count < WARM_UP + REQUESTS; count++) {
    if (count % REQUESTS_PER_CONNECTION === 0) {
      client.destroy();
      client = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(client, 'connect');
    }
    const begunAt = process.hrtime.bigint();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await once(client, 'data');
    if (count >= WARM_UP) times.push(Number(process.hrtime.bigint() - begunAt) / 1e6);
    if (!String(answer).startsWith('HTTP/1.1 503 ')) throw new Error('the answer is no 503');
  }
  client.destroy();
  server.stopAccepting();
  server.destroyAll();
  pool.close();
  const sorted = times.toSorted((one, other) => one - other);
  return { medianMs: sorted[REQUESTS >> 1] ?? Number.NaN, p99Ms: sorted[Math.floor(REQUESTS * 0.99)] ?? Number.NaN };
}
