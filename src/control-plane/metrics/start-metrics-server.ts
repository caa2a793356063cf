import { setImmediate } from 'node:timers/promises';
import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Listener } from '../../lib/listener.ts';
import { type Logger, MetricsPage, MetricsServer } from '../../observability/index.ts';

const CONTROL_PLANE_METRICS_PATH = '/metrics';

/** Gives the metrics to whoever can reach the listeners. @throws StartError when one cannot be had */
export async function startMetricsServer(options: {
  readonly listeners: readonly Listener[];
  readonly pieces: () => Iterable<string>;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<{ readonly ports: readonly number[]; close(): Promise<void> }> {
  const { listeners, pieces, clock, log } = options;
  const page = new MetricsPage({ pieces, clock, yieldTurn: () => setImmediate() });
  const server = new MetricsServer({ path: CONTROL_PLANE_METRICS_PATH, listeners, read: () => page.read(), clock, log });
  try {
    return { ports: await server.listen(), close: () => server.close() };
  } catch (error) {
    const places = listeners.map(({ host, port }) => `${host}:${port}`).join(', ');
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StartError(`The metrics address ${places} cannot be listened on (${code}).`, { cause: error });
  }
}
