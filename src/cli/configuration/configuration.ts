import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { EngineSettings } from '../../engine/index.ts';
import { StartError } from '../../errors/index.ts';
import type { AgeLimit, LimitSettings, SnapshotPlace } from '../../gateway/index.ts';
import type { LogLevel } from '../../observability/index.ts';
import { type ControlPlaneAddress, parseControlPlanes } from './control-plane-addresses.ts';
import { readAgeLimit, readSnapshotPlace } from './outage-settings.ts';
import { parseListener, parseValue, type SettingValue } from './parse-value.ts';
import { readEnvironment } from './read-environment.ts';
import { type RawValue, readConfigurationFile } from './read-file.ts';
import { engineSettings } from './request-settings.ts';
import type { SettingName } from './settings.ts';
import { SETTINGS } from './settings.ts';
import { readSnapshotExportPlace, type SnapshotExportPlace } from './snapshot-export-place.ts';

/** All settings with their values, after file, environment and flags. Paths are absolute. */
export interface Configuration {
  readonly dataFolder: string;
  readonly adminPort: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly syncPort: number;
  readonly statusPort: number;
  readonly metricsPort: number;
  readonly controlPlaneMetricsPort: number;
  readonly demoPort: number;
  readonly demo: boolean;
  readonly workers: number;
  /** Empty: all addresses, both families where the machine has both. */
  readonly httpHosts: readonly string[];
  readonly httpsHosts: readonly string[];
  /** In lower case. */
  readonly fallbackSni: string | undefined;
  readonly proxyProtocol: readonly ProxiedListener[];
  readonly streamListeners: readonly StreamListenerSetting[];
  readonly adminHosts: readonly string[];
  /** Where clients of the Admin API may come from; empty: anywhere. */
  readonly adminAllow: readonly string[];
  /** Proxies in front of the Admin API that are believed. */
  readonly adminTrustedAddresses: readonly string[];
  /** Requests a second at the Admin API; 0 for no limit. */
  readonly requestRates: { readonly perAddress: number; readonly perUser: number };
  readonly syncHosts: readonly string[];
  readonly statusHosts: readonly string[];
  readonly metricsHosts: readonly string[];
  readonly controlPlaneMetricsHosts: readonly string[];
  readonly demoHosts: readonly string[];
  /** In the order in which they are tried; at least one. */
  readonly controlPlanes: readonly ControlPlaneAddress[];
  readonly identityFile: string | undefined;
  /** Read only where there is no identity yet. */
  readonly joinTokenFile: string | undefined;
  /** Where gateways reach control planes; empty: what can be guessed. */
  readonly gatewayUrls: readonly ControlPlaneAddress[];
  readonly user: string | undefined;
  readonly allowRoot: boolean;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly keyringFile: string;
  /** What of history and audit log is kept. */
  readonly retention: {
    readonly versionDays: number;
    readonly versionMebibytes: number;
    readonly auditDays: number;
    readonly auditMebibytes: number;
  };
  /** Of a store on PostgreSQL. Its URL is a secret, and stands elsewhere. */
  readonly database: {
    readonly schema: string;
    readonly connections: number;
    readonly timeoutMs: number;
    readonly statementTimeoutMs: number;
  };
  readonly adminTls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly accessLogFile: string | undefined;
  readonly trustedAddresses: readonly string[];
  /** What gateways may connect to, beyond and within the defaults. */
  readonly dial: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** A plugin that has not decided after this time has failed. */
  readonly pluginDeadlineMs: number;
  readonly usageIntervalMs: number;
  /** Variables that `$env://` references may name although they are withheld. */
  readonly envReferences: readonly string[];
  /** Undefined: standard error. */
  readonly logFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly allowOlder: boolean;
  readonly ageLimit: AgeLimit;
  readonly snapshotExport: { readonly place: SnapshotExportPlace; readonly intervalMs: number; readonly refreshMs: number } | undefined;
  readonly compareIntervalMs: number;
  readonly believeClock: boolean;
  /** Where a gateway finds an exported snapshot, and how often it looks; its key is a secret and stands elsewhere. */
  readonly snapshot: { readonly place: SnapshotPlace; readonly intervalMs: number; readonly maxBytes: number } | undefined;
  /** Upstreams of `https` that say nothing about it are verified. */
  readonly verifyUpstreams: boolean;
  readonly keepRevokedExchanges: boolean;
  readonly showUpstreamStatus: boolean;
  /** A gateway process that is loaded waits for the one in service to end. */
  readonly spareProcess: boolean;
  /** What is changed of the engine's limits and time-outs. */
  readonly engine: EngineSettings;
  readonly limits: LimitSettings;
}

const PROXIED_LISTENERS = ['http', 'https', 'stream'] as const;

/** Listeners on which a PROXY header may be asked for. */
export type ProxiedListener = (typeof PROXIED_LISTENERS)[number];

/** One place where stream routes take connections. */
export interface StreamListenerSetting {
  readonly protocol: 'tcp' | 'tls' | 'udp';
  /** Undefined: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Where values come from. `flags` maps setting names to the text given on the command line. */
export interface ConfigurationSources {
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** From `--config`. */
  readonly file: string | undefined;
}

const LOOPBACK = ['127.0.0.1', '::1'];

/**
 * Reads file, environment and flags, in that rising order.
 *
 * @throws StartError with one sentence for anything unknown, malformed or contradictory.
 */
export function readConfiguration(sources: ConfigurationSources): Configuration {
  const values = collectValues(sources);
  const text = (name: SettingName): string | undefined => values.get(name)?.toString();
  const number = (name: SettingName, fallback: number): number => Number(values.get(name) ?? fallback);
  const flag = (name: SettingName): boolean => values.get(name) === true;
  const hosts = (name: SettingName, fallback: readonly string[]): readonly string[] => {
    const value = values.get(name);
    return Array.isArray(value) ? value : fallback;
  };
  const absolute = (name: SettingName): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : path.resolve(sources.folder, value);
  };
  refuseEqualPorts(values);
  const exportPlace = readSnapshotExportPlace({
    to: text('snapshot-export-to'),
    keep: number('snapshot-export-keep', 10),
    endpoint: text('snapshot-export-endpoint'),
    region: text('snapshot-export-region') ?? 'us-east-1',
    absolute: (name) => path.resolve(sources.folder, name),
  });
  const snapshot = readSnapshotPlace(text('snapshot'), (name) => path.resolve(sources.folder, name));
  const dataFolder = absolute('data-dir') ?? path.resolve(sources.folder, 'data');
  return {
    dataFolder,
    adminPort: number('admin-port', 7443),
    httpPort: number('http-port', 9080),
    httpsPort: number('https-port', 9443),
    syncPort: number('sync-port', 7943),
    statusPort: number('status-port', 7085),
    metricsPort: number('metrics-port', 9091),
    controlPlaneMetricsPort: number('control-plane-metrics-port', 9092),
    demoPort: number('demo-port', 8081),
    demo: !flag('no-demo'),
    workers: number('workers', availableParallelism()),
    httpHosts: hosts('http-listen', []),
    httpsHosts: hosts('https-listen', []),
    fallbackSni: text('fallback-sni')?.toLowerCase(),
    proxyProtocol: readProxyProtocol(hosts('proxy-protocol', []), hosts('trusted-addresses', [])),
    streamListeners: readStreamListeners(values),
    adminHosts: hosts('admin-listen', LOOPBACK),
    adminAllow: hosts('admin-allow', []),
    adminTrustedAddresses: hosts('admin-trusted-addresses', []),
    requestRates: { perAddress: number('admin-requests-per-address', 2_000), perUser: number('admin-requests-per-user', 1_000) },
    syncHosts: hosts('sync-listen', LOOPBACK),
    statusHosts: hosts('status-listen', LOOPBACK),
    metricsHosts: hosts('metrics-listen', LOOPBACK),
    controlPlaneMetricsHosts: hosts('control-plane-metrics-listen', LOOPBACK),
    demoHosts: hosts('demo-listen', LOOPBACK),
    controlPlanes: parseControlPlanes(hosts('control-plane', ['127.0.0.1:7943']).join()) ?? [],
    identityFile: absolute('identity-file'),
    joinTokenFile: absolute('join-token-file'),
    gatewayUrls: hosts('gateway-urls', []).flatMap((text) => parseControlPlanes(text) ?? []),
    user: text('user'),
    allowRoot: flag('allow-root'),
    drainDelayMs: number('drain-delay', 0) * 1000,
    drainTimeoutMs: number('drain-timeout', 30) * 1000,
    keyringFile: absolute('keyring-file') ?? path.join(dataFolder, 'keyring.json'),
    retention: {
      versionDays: number('history-days', 90),
      versionMebibytes: number('history-size', 1_024),
      auditDays: number('audit-days', 180),
      auditMebibytes: number('audit-size', 1_024),
    },
    database: {
      schema: text('database-schema') ?? 'portcullis',
      connections: number('database-connections', 10),
      timeoutMs: number('database-timeout', 5) * 1000,
      statementTimeoutMs: number('database-statement-timeout', 15) * 1000,
    },
    adminTls: readAdminTls(absolute('admin-tls-cert'), absolute('admin-tls-key')),
    accessLogFile: text('access-log') === 'off' ? undefined : (absolute('access-log') ?? path.join(dataFolder, 'logs', 'access.log')),
    logFile: text('log-file') === '-' ? undefined : (absolute('log-file') ?? path.join(dataFolder, 'logs', 'portcullis.log')),
    logLevel: readLevel(text('log-level')),
    allowOlder: flag('allow-older'),
    snapshotExport:
      exportPlace === undefined
        ? undefined
        : {
            place: exportPlace,
            intervalMs: number('snapshot-export-interval', 300) * 1000,
            refreshMs: number('snapshot-export-refresh', 86_400) * 1000,
          },
    compareIntervalMs: number('compare-interval', 60) * 1000,
    believeClock: flag('believe-clock'),
    ageLimit: readAgeLimit(number('max-configuration-age', 0), text('when-too-old')),
    snapshot:
      snapshot === undefined
        ? undefined
        : {
            place: snapshot,
            intervalMs: number('snapshot-interval', 60) * 1000,
            maxBytes: number('snapshot-max-mebibytes', 4096) * 1024 * 1024,
          },
    trustedAddresses: hosts('trusted-addresses', []),
    dial: { allow: hosts('dial-allow', []), deny: hosts('dial-deny', []) },
    pluginDeadlineMs: number('plugin-timeout', 10) * 1000,
    usageIntervalMs: number('usage-interval', 10) * 1000,
    envReferences: hosts('env-references', []),
    engine: {
      ...engineSettings(values),
      transport: flag('documented-sockets') ? 'documented' : 'auto',
      http2Cleartext: flag('http2-cleartext'),
    },
    verifyUpstreams: flag('verify-upstreams'),
    keepRevokedExchanges: flag('keep-revoked-exchanges'),
    showUpstreamStatus: flag('show-upstream-status'),
    spareProcess: !flag('no-spare-process'),
    limits: limitSettings(values),
  };
}

/** Only what is given: the rest follows from the machine that the gateway finds itself on. @throws StartError for limits that contradict */
function limitSettings(values: ReadonlyMap<string, SettingValue>): LimitSettings {
  const names = {
    clientConnections: 'max-connections',
    upstreamConnections: 'max-upstream-connections',
    connectionsPerAddress: 'max-connections-per-client',
    requestsPerService: 'max-requests-per-service',
    requestsPerNode: 'max-requests-per-node',
  } as const satisfies Record<keyof LimitSettings, SettingName>;
  const given = Object.entries(names).filter(([, name]) => values.has(name));
  const limits: LimitSettings = Object.fromEntries(given.map(([key, name]) => [key, Number(values.get(name))]));
  const { requestsPerService, upstreamConnections } = limits;
  if (requestsPerService !== undefined && upstreamConnections !== undefined && requestsPerService > Math.max(1, upstreamConnections / 2)) {
    throw new StartError(
      `--max-requests-per-service (${requestsPerService}) must be at most half of --max-upstream-connections (${upstreamConnections}).`,
    );
  }
  return limits;
}

function collectValues(sources: ConfigurationSources): ReadonlyMap<string, SettingValue> {
  const file = configurationFile(sources);
  const layers: ReadonlyMap<string, RawValue>[] = [
    file === undefined ? new Map() : readConfigurationFile(file),
    readEnvironment(sources.environment),
    new Map([...sources.flags].map(([name, text]) => [name, { text, origin: `--${name}` }])),
  ];
  const values = new Map<string, SettingValue>();
  for (const setting of SETTINGS) {
    for (const layer of layers) {
      const raw = layer.get(setting.name);
      if (raw !== undefined) values.set(setting.name, parseValue(setting, raw.text, raw.origin));
    }
  }
  return values;
}

function configurationFile(sources: ConfigurationSources): string | undefined {
  const named = sources.file ?? sources.environment.PORTCULLIS_CONFIG;
  if (named !== undefined && named !== '') return path.resolve(sources.folder, named);
  const usual = path.join(sources.folder, 'portcullis.yaml');
  return existsSync(usual) ? usual : undefined;
}

const PORTS = {
  'admin-port': 7443,
  'http-port': 9080,
  'https-port': 9443,
  'sync-port': 7943,
  'status-port': 7085,
  'metrics-port': 9091,
  'control-plane-metrics-port': 9092,
  'demo-port': 8081,
} as const;

/** Sockets that share a port would not notice one another, and each server would get some of the other's connections. */
function refuseEqualPorts(values: ReadonlyMap<string, SettingValue>): void {
  const taken = new Map<number, string>();
  for (const [name, fallback] of Object.entries(PORTS)) {
    const port = Number(values.get(name) ?? fallback);
    const other = taken.get(port);
    if (other !== undefined) throw new StartError(`--${other} and --${name} are both ${port}: give each a port of its own.`);
    if (port !== 0) taken.set(port, name);
  }
}

/** @throws StartError for a listener that there is not, and where nobody is trusted to say who clients are */
function readProxyProtocol(names: readonly string[], trusted: readonly string[]): readonly ProxiedListener[] {
  const listeners = PROXIED_LISTENERS.filter((name) => names.includes(name));
  const unknown = names.find((name) => !listeners.some((listener) => listener === name));
  if (unknown !== undefined) throw new StartError(`--proxy-protocol names ${PROXIED_LISTENERS.join(', ')}, not "${unknown}".`);
  if (listeners.length > 0 && trusted.length === 0) {
    throw new StartError('--proxy-protocol needs --trusted-addresses: the proxies whose word about clients is believed.');
  }
  return listeners;
}

/** @throws StartError for a TCP port that is another's, and for one that is named twice */
function readStreamListeners(values: ReadonlyMap<string, SettingValue>): readonly StreamListenerSetting[] {
  const listeners = (['tcp', 'tls', 'udp'] as const).flatMap((protocol) => {
    const value = values.get(`stream-${protocol}-listen`);
    return (Array.isArray(value) ? value : []).flatMap((text: string) => {
      const listener = parseListener(text);
      return listener === undefined ? [] : [{ protocol, ...listener }];
    });
  });
  const servers = new Map(Object.entries(PORTS).map(([name, fallback]) => [Number(values.get(name) ?? fallback), name]));
  const seen = new Set<string>();
  for (const { protocol, host, port } of listeners) {
    const server = protocol === 'udp' ? undefined : servers.get(port);
    if (port !== 0 && server !== undefined) {
      throw new StartError(`--${server} and --stream-${protocol}-listen are both ${port}: give each a port of its own.`);
    }
    const place = `${protocol === 'udp' ? 'udp' : 'tcp'} ${host} ${port}`;
    if (port !== 0 && seen.has(place)) throw new StartError(`--stream-${protocol}-listen names the port ${port} twice.`);
    seen.add(place);
  }
  return listeners;
}

function readAdminTls(certificateFile: string | undefined, keyFile: string | undefined): Configuration['adminTls'] {
  if (certificateFile !== undefined && keyFile !== undefined) return { certificateFile, keyFile };
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  throw new StartError('--admin-tls-cert and --admin-tls-key go together: give both or none.');
}

function readLevel(text: string | undefined): LogLevel {
  return text === 'debug' || text === 'warn' || text === 'error' ? text : 'info';
}
