import path from 'node:path';
import { type ControlPlaneOptions, type RunningControlPlane, startControlPlane } from '../../control-plane/index.ts';
import { systemClock } from '../../lib/clock.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import { type ChildRole, runUnderSupervisor, shareDataFolder } from '../../supervisor/index.ts';
import { type LogSettings, openLog } from './log-settings.ts';

/** What the supervisor tells this process. */
export interface ControlPlaneSettings
  extends Pick<
    ControlPlaneOptions,
    | 'dataFolder'
    | 'keyringFile'
    | 'adminAllow'
    | 'adminTrustedAddresses'
    | 'requestRates'
    | 'dial'
    | 'retention'
    | 'adminListeners'
    | 'syncListeners'
    | 'metricsListeners'
    | 'gatewayUrls'
    | 'compareIntervalMs'
    | 'believeClock'
    | 'softwareVersion'
  > {
  readonly lockFile: string;
  readonly log: LogSettings;
  readonly adminTls: { readonly certificateFile: string; readonly keyFile: string } | null;
  readonly bootstrapToken: string | null;
  readonly adminPassword: string | null;
  readonly database: ControlPlaneOptions['database'] | null;
  readonly snapshotExport: NonNullable<ControlPlaneOptions['snapshotExport']> | null;
}

let controlPlane: RunningControlPlane | undefined;
let log: Logger | undefined;

const role: ChildRole = {
  async start(body, _previousEnd, channel) {
    // The supervisor is the same program: what it sends has this shape.
    const settings = body as unknown as ControlPlaneSettings;
    shareDataFolder(settings.lockFile);
    log = openLog(settings.log, 'control-plane');
    controlPlane = await startControlPlane({
      dataFolder: path.resolve(settings.dataFolder),
      keyringFile: settings.keyringFile,
      adminAllow: settings.adminAllow,
      adminTrustedAddresses: settings.adminTrustedAddresses,
      requestRates: settings.requestRates,
      dial: settings.dial,
      database: settings.database ?? undefined,
      adminListeners: settings.adminListeners,
      syncListeners: settings.syncListeners,
      metricsListeners: settings.metricsListeners,
      gatewayUrls: settings.gatewayUrls,
      adminTls: settings.adminTls ?? undefined,
      retention: settings.retention,
      compareIntervalMs: settings.compareIntervalMs,
      believeClock: settings.believeClock,
      snapshotExport: settings.snapshotExport ?? undefined,
      bootstrapToken: settings.bootstrapToken ?? undefined,
      adminPassword: settings.adminPassword ?? undefined,
      softwareVersion: settings.softwareVersion,
      clock: systemClock,
      random: systemRandom,
      log,
      onStoreReplaced: (error) => channel.fail(error),
    });
    return { authority: controlPlane.authority, database: controlPlane.database ?? null, firstStart: firstStartBody(controlPlane) };
  },
  async drain({ timeoutMs }) {
    await controlPlane?.drain(timeoutMs);
  },
  async answer(name, body): Promise<JsonValue> {
    if (controlPlane === undefined) throw new Error('the control plane has not started');
    if (name === 'group-revision') return controlPlane.groupRevision(text(body, 'groupId'));
    if (name === 'issue-instance-certificate') {
      const issued = await controlPlane.issueInstanceCertificate({
        groupId: text(body, 'groupId'),
        instanceId: text(body, 'instanceId'),
        publicKey: text(body, 'publicKey'),
      });
      return { ...issued };
    }
    throw new Error(`unknown question ${name}`);
  },
  onFatal(error) {
    if (log === undefined) process.stderr.write(`the control plane ends: ${error instanceof Error ? error.stack : String(error)}\n`);
    else log.error('the control plane ends', {}, error);
  },
};

function firstStartBody({ firstStart }: RunningControlPlane): JsonValue {
  if (firstStart === undefined) return null;
  const { username, password, token, tokenExpiresAt } = firstStart;
  return { username, password: password ?? null, token: token ?? null, tokenExpiresAt };
}

function text(body: JsonValue, field: string): string {
  const value = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject)[field] : undefined;
  if (typeof value !== 'string') throw new Error(`the question lacks ${field}`);
  return value;
}

runUnderSupervisor(role);
