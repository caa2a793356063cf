import path from 'node:path';
import type { WorkerListeners } from '../../gateway/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { SupervisedChild } from '../../supervisor/index.ts';
import type { Configuration } from '../configuration/index.ts';
import type { GatewaySettings } from '../processes/gateway-process.ts';
import { InheritedDescriptors } from './inherited-descriptors.ts';
import { type InstanceContext, lockFileOf, logSettingsOf, superviseRole } from './instance-context.ts';
import { addressListeners } from './instance-endpoints.ts';
import type { DatedIdentity } from './local-identity.ts';
import { snapshotSettings } from './snapshot-settings.ts';

/** Generations of a worker that one gateway process can start before it wants to be replaced. */
const GENERATIONS = 8;

/**
 * Copies of its socket on which one generation listens at once. Node accepts one connection a turn of the loop from each; under full
 * load a turn takes tens of milliseconds, and with one copy the thousandth client in a row waited for seconds.
 */
const MOST_ACCEPTORS = 8;
/** … of all workers together: many workers share the clients among them. */
const ALL_ACCEPTORS = 32;

/**
 * V8 lets the young part of each thread's heap grow to three times this (16 MB unless told) and never gives it back. Threads of a
 * gateway allocate little per request: at 64 connections the small one costs no time that could be measured, and the process
 * is 29 MB smaller once it has loaded 100,000 keys.
 */
const MAX_SEMI_SPACE_MB = 2;

/** Loading is nine tenths of a start. A process in service that ends, for whatever reason, has a successor that has done it already. */
const SPARE_AFTER_MS = 5000;

/**
 * glibc gives each thread an arena of its own, up to eight a core, and what loading the program left free in one is of no use to the others. With as
 * many arenas as workers, a gateway of one worker has 125 to 131 MB (proportional) when it begins to serve, instead of 150.
 */
function memoryVariables(workers: number): Readonly<Record<string, string>> {
  return { MALLOC_ARENA_MAX: String(workers) };
}

/** The whole of the instance's data, of which the gateway's own folder is a part, and what may lie elsewhere. */
function closedFolders({ dataFolder, keyringFile, identityFile, joinTokenFile, adminTls }: Configuration): readonly string[] {
  const files = [keyringFile, identityFile, joinTokenFile, adminTls?.certificateFile, adminTls?.keyFile];
  return [dataFolder, ...files.filter((file) => file !== undefined)];
}

/** The gateway process of this instance. Who it is, and whom it asks, is asked anew for each process, so that another certificate is taken up. */
export function gatewayRole(
  context: InstanceContext,
  options: {
    readonly identity: () => DatedIdentity;
    readonly controlPlanes: (identity: DatedIdentity) => readonly { readonly host: string; readonly port: number }[];
    readonly onCurrent: (revision: number) => void;
    /** PEM, the one that issues first. */
    readonly onAuthorities: (authority: string) => void;
  },
): SupervisedChild {
  const { configuration, endpoints } = context;
  const inherited = new InheritedDescriptors();
  const status = inherited.listeners(endpoints.status);
  const metrics = inherited.listeners(endpoints.metrics);
  const acceptors = Math.min(MOST_ACCEPTORS, Math.max(1, Math.floor(ALL_ACCEPTORS / configuration.workers)));
  const workers = Array.from({ length: endpoints.http.addresses.length === 0 ? 1 : configuration.workers }, (_, index): WorkerListeners => {
    return {
      httpDescriptors: inherited.copiesForWorker(endpoints.http, index, GENERATIONS, acceptors),
      httpsDescriptors: inherited.copiesForWorker(endpoints.https, index, GENERATIONS, 1),
      streamDescriptors: endpoints.streams.flatMap(({ setting, endpoint }) =>
        inherited.copiesForWorker(endpoint, index, GENERATIONS, setting.protocol === 'udp' ? 1 : acceptors),
      ),
    };
  });
  const httpHosts = configuration.httpHosts.length > 0 ? configuration.httpHosts : ['::'];
  const httpsHosts = configuration.httpsHosts.length > 0 ? configuration.httpsHosts : ['::'];
  const fixed = {
    dataFolder: path.join(configuration.dataFolder, 'gateway'),
    closedFolders: closedFolders(configuration),
    workers,
    httpAddresses: httpHosts.map((host) => ({ host, port: endpoints.http.port })),
    httpsAddresses: httpsHosts.map((host) => ({ host, port: endpoints.https.port })),
    httpsPort: endpoints.https.port,
    proxyProtocol: configuration.proxyProtocol,
    streamAddresses: endpoints.streams.map(({ setting, endpoint }) => ({
      protocol: setting.protocol,
      host: endpoint.addresses[0]?.host ?? setting.host ?? '::',
      port: endpoint.port,
    })),
    fallbackSni: configuration.fallbackSni ?? null,
    statusListeners: status.length > 0 ? status : addressListeners(endpoints.status.port, configuration.statusHosts),
    metricsListeners: metrics.length > 0 ? metrics : addressListeners(endpoints.metrics.port, configuration.metricsHosts),
    protectedPorts: [
      endpoints.admin.port,
      endpoints.sync.port,
      endpoints.status.port,
      endpoints.metrics.port,
      endpoints.controlPlaneMetrics.port,
    ].filter((port) => port !== 0),
    dial: configuration.dial,
    accessLogFile: configuration.accessLogFile ?? null,
    trustedAddresses: configuration.trustedAddresses,
    pluginDeadlineMs: configuration.pluginDeadlineMs,
    usageIntervalMs: configuration.usageIntervalMs,
    envReferences: configuration.envReferences,
    engine: configuration.engine,
    verifyUpstreams: configuration.verifyUpstreams,
    keepRevokedExchanges: configuration.keepRevokedExchanges,
    showUpstreamStatus: configuration.showUpstreamStatus,
    limits: configuration.limits,
    allowOlder: configuration.allowOlder,
    ageLimit: configuration.ageLimit,
    snapshot: snapshotSettings(context) ?? null,
    testHooks: context.testHooks,
    softwareVersion: context.softwareVersion,
    lockFile: lockFileOf(configuration.dataFolder),
    log: logSettingsOf(configuration),
  };
  return superviseRole(context, {
    name: 'gateway',
    nodeOptions: [`--max-semi-space-size=${MAX_SEMI_SPACE_MB}`],
    environment: memoryVariables(configuration.workers),
    descriptors: inherited.own,
    openedVariables: configuration.envReferences,
    ...(configuration.spareProcess ? { spareAfterMs: SPARE_AFTER_MS } : {}),
    settings: () => {
      const identity = options.identity();
      return { ...fixed, identity, controlPlanes: options.controlPlanes(identity) } satisfies GatewaySettings as unknown as JsonValue;
    },
    onEvent: (name, body) => {
      if (typeof body !== 'object' || body === null) return;
      if (name === 'current' && 'revision' in body) options.onCurrent(Number(body.revision));
      if (name === 'authorities' && 'authority' in body) options.onAuthorities(String(body.authority));
    },
  });
}
