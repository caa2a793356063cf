import { testSetup } from '../../plugin-kit/testing/index.ts';
import type { PluginServices } from '../runtime/index.ts';

/** What plugins share, in memory. */
export function testServices(): PluginServices {
  const setup = testSetup();
  return {
    clock: setup.clock,
    expiryClock: setup.expiryClock,
    random: setup.random,
    logOf: () => setup.log,
    counters: setup.counters,
    leaseCounterServer: (server) => ({ counters: setup.counterServer(server), release: async () => {} }),
    records: setup.records,
    metrics: setup.metrics,
    calls: setup.calls,
    files: setup.files,
    hostName: setup.hostName,
    httpsPort: setup.httpsPort,
    version: setup.version,
  };
}
