import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import type { Logger } from '../../observability/index.ts';
import { spareReady } from './failing-worker.ts';
import { routeItem, serviceItem } from './guide-items.ts';
import { startTestGateway } from './test-gateway.ts';

/** What the parent asks for: all descriptors to be used up, or given back; or the gateway to stop. */
export type StarvedGatewayRequest = 'eat' | 'free' | 'stop';

/** What the parent hears: when the gateway is ready, messages of its log, and how many descriptors are taken away when none is left. */
export type StarvedGatewayReport =
  | { readonly ready: { readonly statusPort: number } }
  | { readonly log: string }
  | { readonly eaten: number };

/**
 * A gateway in a process of its own, of which every descriptor can be taken away: `FIRST_FD` and `COPIES` name the copies of its one
 * socket, `UPSTREAM_PORT` where `/` goes.
 */
const { FIRST_FD, COPIES, UPSTREAM_PORT } = process.env;
const report = (message: StarvedGatewayReport): void => void process.send?.(message);
const tell = (message: string): void => report({ log: message });
const log: Logger = { debug: () => {}, info: tell, warn: tell, error: tell, child: () => log };

const cleanUps: (() => unknown)[] = [];
const copies = Array.from({ length: Number(COPIES) }, (_, index) => Number(FIRST_FD) + index);
const gateway = await startTestGateway(
  { after: (cleanUp) => void cleanUps.unshift(cleanUp) },
  {
    workers: [{ httpDescriptors: [copies.map((copy) => [copy])], httpsDescriptors: [] }],
    limits: { clientConnections: 50, upstreamConnections: 50 },
    log,
  },
);
await gateway.load([serviceItem(Number(UPSTREAM_PORT)), routeItem('route', { paths: ['/*'] })]);
await gateway.agent.whenReady();
// A thread that is still loading its modules would fail for want of descriptors, which is not what is to be shown.
await spareReady(gateway);

const eaten: number[] = [];
process.on('message', async (request: StarvedGatewayRequest) => {
  if (request === 'eat') {
    try {
      for (;;) eaten.push(openSync(devNull, 'r'));
    } catch {
      report({ eaten: eaten.length });
    }
  } else if (request === 'free') {
    for (const descriptor of eaten.splice(0)) closeSync(descriptor);
  } else {
    for (const cleanUp of cleanUps) await cleanUp();
    process.disconnect?.();
  }
});
report({ ready: { statusPort: gateway.statusPort } });
