import { readRouteSettings, readServiceSettings } from '../../src/gateway/runtime/read-settings.ts';
import { createTestRuntime } from '../../src/gateway/testing/test-runtime.ts';
import type { RuntimeChange } from '../../src/gateway/worker/worker-messages.ts';
import { PLUGINS } from '../../src/plugins/index.ts';
import { routeDocument, serviceDocument } from './sample-documents.ts';
import { sampleRoute, serviceCount } from './sample-routes.ts';

/** A worker's configuration with so many routes, each behind key-auth. */
export interface PreparedRoutes {
  readonly runtime: ReturnType<typeof createTestRuntime>;
  /** What puts them in force. */
  readonly changes: readonly RuntimeChange[];
}

export function prepareRoutes(count: number): PreparedRoutes {
  const runtime = createTestRuntime(PLUGINS, {
    yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
    monotonicMs: () => performance.now(),
  });
  const services = Array.from({ length: serviceCount(count) }, (_, index) => serviceChange(index));
  const routes = Array.from({ length: count }, (_, index) => routeChange(index, count));
  return { runtime, changes: [...services, ...routes] };
}

function serviceChange(index: number): RuntimeChange {
  const id = `service_${index}`;
  return { op: 'put-service', id, settings: readServiceSettings(id, serviceDocument(index), PLUGINS) };
}

/** One route, with another path where a tag is given. */
export function routeChange(index: number, count: number, tag = ''): RuntimeChange {
  const { id } = sampleRoute(index, count);
  return { op: 'put-route', id, number: index + 1, settings: readRouteSettings(id, routeDocument(index, count, tag), PLUGINS) };
}
