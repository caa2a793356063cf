import type { JsonValue } from '../../lib/json.ts';
import type { SupervisedChild } from '../../supervisor/index.ts';
import type { ControlPlaneSettings } from '../processes/control-plane-process.ts';
import type { BannerFirstStart } from './banner.ts';
import { InheritedDescriptors } from './inherited-descriptors.ts';
import { type InstanceContext, lockFileOf, logSettingsOf, superviseRole } from './instance-context.ts';
import { addressListeners } from './instance-endpoints.ts';
import { snapshotExportSettings } from './snapshot-export-settings.ts';

const DAY_SECONDS = 86_400;
/** Where everything is started at once, the database may be the last to be ready. */
const DATABASE_PATIENCE_MS = 10_000;

/** The control-plane process of this instance. Secrets of the environment go to it alone. */
export function controlPlaneRole(context: InstanceContext): SupervisedChild {
  const { configuration, endpoints, secrets } = context;
  const inherited = new InheritedDescriptors();
  const admin = inherited.listeners(endpoints.admin);
  const sync = inherited.listeners(endpoints.sync);
  const metrics = inherited.listeners(endpoints.controlPlaneMetrics);
  const settings = {
    dataFolder: configuration.dataFolder,
    keyringFile: configuration.keyringFile,
    adminListeners: admin.length > 0 ? admin : addressListeners(endpoints.admin.port, configuration.adminHosts),
    syncListeners: sync.length > 0 ? sync : addressListeners(endpoints.sync.port, configuration.syncHosts),
    metricsListeners:
      metrics.length > 0 ? metrics : addressListeners(endpoints.controlPlaneMetrics.port, configuration.controlPlaneMetricsHosts),
    database:
      secrets.databaseUrl === undefined ? null : { ...configuration.database, url: secrets.databaseUrl, patienceMs: DATABASE_PATIENCE_MS },
    gatewayUrls: configuration.gatewayUrls,
    adminTls: configuration.adminTls ?? null,
    adminAllow: configuration.adminAllow,
    adminTrustedAddresses: configuration.adminTrustedAddresses,
    requestRates: configuration.requestRates,
    dial: configuration.dial,
    retention: configuration.retention,
    compareIntervalMs: configuration.compareIntervalMs,
    believeClock: configuration.believeClock,
    snapshotExport: snapshotExportSettings(context) ?? null,
    bootstrapToken: secrets.bootstrapToken ?? null,
    adminPassword: secrets.adminPassword ?? null,
    softwareVersion: context.softwareVersion,
    lockFile: lockFileOf(configuration.dataFolder),
    log: logSettingsOf(configuration),
  } satisfies ControlPlaneSettings;
  return superviseRole(context, {
    name: 'control-plane',
    descriptors: inherited.own,
    settings: () => ({ ...settings }) as unknown as JsonValue,
  });
}

/** What the process tells with `ready`. */
export interface ControlPlaneReady {
  /** Certificate (PEM) that instances must have been certified by. */
  readonly authority: string;
  /** Of a store on PostgreSQL. */
  readonly database: string | undefined;
  /** The secrets of a first start. */
  readonly firstStart: Extract<BannerFirstStart, { kind: 'shown' }> | undefined;
}

/** Reads it. */
export function readControlPlaneReady(body: JsonValue): ControlPlaneReady {
  if (typeof body !== 'object' || body === null || !('authority' in body)) throw new Error('the control plane told nothing');
  const database = typeof body.database === 'string' ? body.database : undefined;
  return { authority: String(body.authority), database, firstStart: readFirstStart(body.firstStart ?? null) };
}

function readFirstStart(body: JsonValue): ControlPlaneReady['firstStart'] {
  if (typeof body !== 'object' || body === null || !('username' in body)) return undefined;
  const { username, password, token, tokenExpiresAt } = body;
  const seconds = typeof tokenExpiresAt === 'number' ? tokenExpiresAt - Date.now() / 1000 : 0;
  return {
    kind: 'shown',
    username: String(username),
    password: typeof password === 'string' ? password : null,
    token: typeof token === 'string' ? token : null,
    tokenDays: Math.round(seconds / DAY_SECONDS),
  };
}
