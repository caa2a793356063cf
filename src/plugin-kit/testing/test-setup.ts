import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Random } from '../../lib/random.ts';
import type { CounterServer } from '../counters.ts';
import type { PluginInstance } from '../instantiate-plugin.ts';
import type { AnyPlugin } from '../plugin.ts';
import type { PluginOwner, PluginSetup } from '../plugin-setup.ts';
import type { UpstreamHandle } from '../upstream-handle.ts';
import { seededRandom } from './seeded-random.ts';
import { TestCalls } from './test-calls.ts';
import { TestCounters } from './test-counters.ts';
import { TestLineFiles } from './test-line-files.ts';
import { TestLog } from './test-log.ts';
import { TestMetrics } from './test-metrics.ts';
import { TestRecords } from './test-records.ts';

export interface TestSetupOptions {
  /** The route `route-1` unless said. */
  readonly owner?: PluginOwner;
  /** Worked out by `createPlugin` unless said. */
  readonly configurationHash?: string;
  /** As it was written: `createPlugin` adds the defaults of the plugin's `metadataSchema`. */
  readonly metadata?: JsonObject;
  readonly clock?: FakeClock;
  /** `clock` unless said. */
  readonly expiryClock?: FakeClock;
  readonly random?: Random;
  /** 0 unless said. */
  readonly httpsPort?: number;
  /** The plugins that `nestedPlugins` may name. */
  readonly plugins?: readonly AnyPlugin[];
}

/** A `PluginSetup` whose every part can be read and moved. */
export interface TestSetup extends PluginSetup {
  readonly clock: FakeClock;
  readonly log: TestLog;
  readonly counters: TestCounters;
  readonly records: TestRecords;
  readonly metrics: TestMetrics;
  readonly calls: TestCalls;
  readonly files: TestLineFiles;
  /** Those that were asked for, in order, with the counters that each got. */
  readonly servers: ReadonlyArray<{ readonly server: CounterServer; readonly counters: TestCounters }>;
  readonly plugins: readonly AnyPlugin[];
}

/** Everything that a plugin's `create` gets, in memory. */
export function testSetup(options: TestSetupOptions = {}): TestSetup {
  const clock = options.clock ?? new FakeClock();
  const servers: { readonly server: CounterServer; readonly counters: TestCounters }[] = [];
  return {
    owner: options.owner ?? { kind: 'route', id: 'route-1' },
    configurationHash: options.configurationHash ?? '',
    metadata: options.metadata,
    clock,
    expiryClock: options.expiryClock ?? clock,
    random: options.random ?? seededRandom(),
    log: new TestLog(),
    counters: new TestCounters(clock),
    counterServer: (server) => {
      const counters = new TestCounters(clock);
      counters.later = true;
      servers.push({ server, counters });
      return counters;
    },
    records: new TestRecords(clock),
    metrics: new TestMetrics(),
    calls: new TestCalls(),
    files: new TestLineFiles(),
    servers,
    plugins: options.plugins ?? [],
    upstreams: [] as readonly UpstreamHandle[],
    nested: [] as readonly PluginInstance[],
    hostName: 'gateway-1',
    httpsPort: options.httpsPort ?? 0,
    version: '0.0.0-test',
  };
}
