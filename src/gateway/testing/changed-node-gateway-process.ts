import { routeItem, serviceItem } from './guide-items.ts';
import { startTestGateway } from './test-gateway.ts';

/** What the parent hears when the gateway is ready. */
export interface ChangedNodeReport {
  readonly httpPort: number;
  /** What the log has said of sockets. */
  readonly said: readonly unknown[];
}

/** A gateway in a process of its own, whose Node the parent has changed; `UPSTREAM_PORT` names where `/` goes. Any message ends it. */
const cleanUps: (() => unknown)[] = [];
const gateway = await startTestGateway({ after: (cleanUp) => void cleanUps.unshift(cleanUp) });
await gateway.load([serviceItem(Number(process.env.UPSTREAM_PORT)), routeItem('route', { paths: ['/*'] })]);
await gateway.agent.whenReady();
process.once('message', async () => {
  for (const cleanUp of cleanUps) await cleanUp();
  process.disconnect?.();
});
const said = gateway.log.lines.filter(({ message }) => message.startsWith('sockets')).map(({ fields }) => fields);
const report: ChangedNodeReport = { httpPort: gateway.httpPort, said };
process.send?.(report);
