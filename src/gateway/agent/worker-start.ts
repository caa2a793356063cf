import type { GatewayOptions } from '../gateway-options.ts';
import type { WorkerStart } from '../worker/worker-messages.ts';

/** What a worker shares with the agent and the other workers, and its own row in it. */
type WorkerShare = Pick<WorkerStart, 'row' | 'board' | 'tables' | 'load' | 'health' | 'metrics' | 'counters' | 'usage'>;

/** All that a worker thread is started with. */
export function workerStart(options: GatewayOptions, share: WorkerShare): WorkerStart {
  const { softwareVersion, protectedPorts, dial, accessLogFile, trustedAddresses, pluginDeadlineMs, httpsPort, engine, testHooks } =
    options;
  return {
    ...share,
    workers: options.workers.length,
    forbiddenFolders: options.closedFolders,
    softwareVersion,
    protectedPorts,
    dial,
    accessLogFile,
    trustedAddresses,
    proxyProtocol: options.proxyProtocol ?? [],
    pluginDeadlineMs,
    httpsPort,
    fallbackSni: options.fallbackSni,
    verifyUpstreams: options.verifyUpstreams ?? false,
    keepRevokedExchanges: options.keepRevokedExchanges ?? false,
    showUpstreamStatus: options.showUpstreamStatus ?? false,
    engine,
    testHooks,
    testPluginModule: options.testPlugins?.module,
  };
}
