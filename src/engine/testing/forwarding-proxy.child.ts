// Forwards everything to one upstream in a process of its own, so that its memory is that of the engine alone.
import { systemClock } from '../../lib/clock.ts';
import { HttpServer } from '../http-server.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { planTo, TestHandler } from './test-handler.ts';
import { testTransport } from './test-transport.ts';

const transport = testTransport();
const pool = new UpstreamPool({ clock: systemClock, transport });
const target = pool.target('127.0.0.1', Number(process.env.UPSTREAM_PORT));
const handler = new TestHandler((exchange) => exchange.forward(planTo(target)));
const server = new HttpServer({ handler, pool, serverHeader: undefined, clock: systemClock, transport });
const { port } = await server.listen({ host: '127.0.0.1', port: 0 });

process.on('message', () => process.send?.({ peakBytes: process.resourceUsage().maxRSS * 1024 }));
process.on('disconnect', () => process.exit(0));
process.send?.({ port });
