import type { TestContext } from 'node:test';
import { RecordingLogger } from '../../../../test-support/recording-logger.ts';
import type { JsonObject } from '../../../lib/json.ts';
import { type AnyPlugin, definePlugin, type PluginPhases, Type } from '../../../plugin-kit/index.ts';
import { createGateway, type InProcessGateway } from '../index.ts';
import { startUpstream } from './echo-upstream.ts';

/** A plugin of one test: its phases alone. */
export function plugin(name: string, priority: number, phases: PluginPhases<JsonObject>): AnyPlugin {
  return definePlugin<JsonObject, JsonObject>({
    name,
    version: '1',
    priority,
    type: 'other',
    schema: Type.Object({}),
    secretFields: [],
    identityHeaders: [],
    create: (configuration) => configuration,
    phases,
  });
}

export interface Served {
  readonly gateway: InProcessGateway;
  readonly log: RecordingLogger;
}

/** A route `/a` to an upstream, with these plugins on it and those in the global rules. */
export async function serve(t: TestContext, plugins: readonly AnyPlugin[], options: Partial<ServeOptions> = {}): Promise<Served> {
  const port = options.port ?? (await startUpstream(t));
  const log = new RecordingLogger();
  const onRoute = options.route ?? Object.fromEntries(plugins.map(({ name }) => [name, {}]));
  const gateway = createGateway(
    {
      services: { s: { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port, weight: 1 }], retries: 0 } } },
      routes: { r: { name: 'r', service_id: 's', paths: ['/a'], plugins: onRoute } },
      globalRules: options.globalRules ?? {},
      consumers: { jack: { plugins: options.consumer ?? {} } },
      credentials: { jack: { c: { plugins: { 'key-auth': { key: 'the-key' } } } } },
    },
    { plugins, log },
  );
  t.after(() => gateway.close());
  return { gateway, log };
}

export interface ServeOptions {
  readonly port: number;
  readonly route: JsonObject;
  readonly globalRules: Readonly<Record<string, JsonObject>>;
  readonly consumer: JsonObject;
}

export const get = (path = '/a', headers: Record<string, string> = {}): Request => new Request(`http://test${path}`, { headers });
