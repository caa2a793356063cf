import {
  type FormerProcesses,
  type GatewayOptions,
  type InstanceIdentity,
  prepareGateway,
  type RunningGateway,
  startGateway,
} from '../../gateway/index.ts';
import { systemClock } from '../../lib/clock.ts';
import type { JsonValue } from '../../lib/json.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { SnapshotDelta } from '../../schema/index.ts';
import { type ChildRole, type FormerChildren, runUnderSupervisor, shareDataFolder } from '../../supervisor/index.ts';
import { parseIdentity } from '../instance/local-identity.ts';
import { type LogSettings, openLog } from './log-settings.ts';

/** What the supervisor tells this process. */
export interface GatewaySettings
  extends Pick<
    GatewayOptions,
    | 'dataFolder'
    | 'closedFolders'
    | 'identity'
    | 'controlPlanes'
    | 'workers'
    | 'httpAddresses'
    | 'httpsAddresses'
    | 'httpsPort'
    | 'streamAddresses'
    | 'proxyProtocol'
    | 'statusListeners'
    | 'metricsListeners'
    | 'protectedPorts'
    | 'dial'
    | 'trustedAddresses'
    | 'pluginDeadlineMs'
    | 'usageIntervalMs'
    | 'envReferences'
    | 'engine'
    | 'verifyUpstreams'
    | 'keepRevokedExchanges'
    | 'showUpstreamStatus'
    | 'limits'
    | 'allowOlder'
    | 'ageLimit'
    | 'testHooks'
    | 'softwareVersion'
  > {
  readonly fallbackSni: string | null;
  readonly snapshot: NonNullable<GatewayOptions['snapshot']> | null;
  readonly lockFile: string;
  readonly log: LogSettings;
  readonly accessLogFile: string | null;
}

/** From the moment at which it begins to start. */
let starting: Promise<RunningGateway> | undefined;
let gateway: RunningGateway | undefined;
let log: Logger | undefined;
let threads: GatewayOptions['threads'];
let useIdentity: ((identity: InstanceIdentity) => void) | undefined;
/** It may come while the files are being opened, when nobody uses one yet. */
let renewed: InstanceIdentity | undefined;

const role: ChildRole = {
  prepare() {
    threads = prepareGateway();
  },
  async start(body, previousEnd, channel) {
    // The supervisor is the same program: what it sends has this shape.
    const { lockFile, log: logSettings, accessLogFile, fallbackSni, snapshot, ...settings } = body as unknown as GatewaySettings;
    shareDataFolder(lockFile);
    log = openLog(logSettings, 'gateway');
    starting = startGateway({
      ...settings,
      threads,
      accessLogFile: accessLogFile ?? undefined,
      fallbackSni: fallbackSni ?? undefined,
      snapshot: snapshot ?? undefined,
      environment: process.env,
      previousExit: previousEnd,
      former: channel.former === undefined ? undefined : followersOf(channel.former),
      clock: systemClock,
      random: systemRandom,
      log,
      onIdentityUser: (use) => {
        useIdentity = use;
        if (renewed !== undefined) use(renewed);
      },
      onAuthorities: (authority) => channel.event('authorities', { authority }),
      onDescriptorsUsedUp: () => channel.replaceMe(),
    });
    const running = await starting;
    gateway = running;
    void running.whenCurrent().then(({ revision }) => channel.event('current', { revision }));
    await running.whenReady();
    return null;
  },
  async answer(name, body) {
    if (name === 'use-identity') {
      renewed = parseIdentity(body);
      useIdentity?.(renewed);
      return null;
    }
    // It may be asked while it opens its files, and must let go of them all the same.
    const running = await starting;
    switch (name) {
      case 'hand-over':
        await running?.handOver();
        return null;
      case 'follow':
        // From a process of the same program, of which it was verified there.
        await running?.follow(body as unknown as SnapshotDelta);
        return null;
      case 'leave-control-plane':
        await running?.leaveControlPlane();
        return null;
      default:
        throw new Error(`unknown question ${name}`);
    }
  },
  async drain(options) {
    await gateway?.drain(options);
  },
  onFatal(error) {
    if (log === undefined) process.stderr.write(`the gateway ends: ${error instanceof Error ? error.stack : String(error)}\n`);
    else log.error('the gateway ends', {}, error);
  },
};

function followersOf(former: FormerChildren): FormerProcesses {
  return {
    // Text of JSON made it, and it is that again.
    follow: (delta) => former.ask('follow', delta as unknown as JsonValue),
    leaveControlPlane: () => void former.ask('leave-control-plane', null),
    gone: former.gone,
  };
}

runUnderSupervisor(role);
