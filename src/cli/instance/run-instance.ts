import path from 'node:path';
import { type CancelTask, systemClock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import { systemRandom } from '../../lib/random.ts';
import { startLogRotation } from '../../observability/index.ts';
import {
  type BoundEndpoint,
  claimDataFolder,
  openDataFolder,
  runAs,
  type SupervisedChild,
  settleDataFolder,
} from '../../supervisor/index.ts';
import type { Configuration, SecretSettings } from '../configuration/index.ts';
import { openLog } from '../processes/log-settings.ts';
import { type BannerFirstStart, banner, originOf } from './banner.ts';
import { type ControlPlaneReady, controlPlaneRole, readControlPlaneReady } from './control-plane-role.ts';
import { demoRole } from './demo-role.ts';
import { showFirstStart } from './first-start-file.ts';
import { gatewayRole } from './gateway-role.ts';
import { type InstanceContext, lockFileOf, logSettingsOf } from './instance-context.ts';
import { bindInstanceEndpoints, type InstanceRoles } from './instance-endpoints.ts';
import { writeInstanceRecord } from './instance-record.ts';
import { joinBeside } from './join-beside.ts';
import { readJoinToken, refuseWithoutIdentity } from './join-token-setting.ts';
import type { JoinedIdentity } from './joined-identity.ts';
import { type DatedIdentity, obtainIdentity, RENEW_BEFORE_MS, readIdentity } from './local-identity.ts';
import { listenForReplace } from './replace-signal.ts';
import { isWithoutControlPlane, snapshotIdentity, unfitForSnapshot } from './snapshot-settings.ts';
import { listenForStop } from './stop-signals.ts';

/** How long a start waits for the instance before it to let go of the data folder. */
const LOCK_WAIT_MS = 10_000;
const DEFAULT_GROUP = 'default';
/** A start that takes longer than this is not only slow. */
const PATIENCE_MS = 10_000;
const RENEWAL_CHECK_MS = 12 * 3_600_000;

/** What `start`, `control-plane` and `gateway` run. */
export interface InstanceRequest {
  readonly configuration: Configuration;
  readonly secrets: SecretSettings;
  readonly roles: InstanceRoles;
  readonly softwareVersion: string;
  readonly testHooks: boolean;
}

/**
 * Runs an instance as its supervisor: claims the data folder, binds the sockets, starts the roles in order, prints what a person
 * needs, and on a signal drains everything. Resolves with the exit code when all children have gone.
 *
 * @throws StartError when a person must change something; nothing is left running then.
 */
export async function runInstance(request: InstanceRequest): Promise<number> {
  process.umask(0o077);
  const { configuration } = request;
  const owner = runAs({ user: configuration.user, allowRoot: configuration.allowRoot, currentUid: process.getuid?.() });
  openDataFolder(configuration.dataFolder);
  const lock = await claimDataFolder(lockFileOf(configuration.dataFolder), {
    waitMs: LOCK_WAIT_MS,
    clock: systemClock,
    onWait: () => process.stderr.write(`Waiting for the instance that still uses ${configuration.dataFolder} ...\n`),
  });
  settleDataFolder(configuration.dataFolder, owner);
  const log = openLog(logSettingsOf(configuration), 'supervisor', owner);
  const endpoints = await bindInstanceEndpoints(configuration, request.roles);
  const instance = new Instance({ ...request, endpoints, runAs: owner, log });
  // One process puts the file aside; all of them follow it.
  const rotation =
    configuration.logFile === undefined
      ? undefined
      : startLogRotation({ file: configuration.logFile, clock: systemClock, log, onRotated: () => {} });
  try {
    return await instance.run();
  } finally {
    rotation?.stop();
    lock.release();
  }
}

/** The children of one instance in the order in which they start. */
class Instance {
  readonly #context: InstanceContext;
  readonly #controlPlane: SupervisedChild | undefined;
  readonly #demo: SupervisedChild | undefined;
  #gateway: SupervisedChild | undefined;
  #identity: DatedIdentity | undefined;
  /** Of a gateway that runs alone. */
  #joined: JoinedIdentity | undefined;
  /** Of the control plane of this instance: those that are to be trusted, PEM. */
  #authority: string | undefined;
  #cancelRenewal: CancelTask = () => undefined;
  #cancelJoining: CancelTask = () => undefined;
  #current: { readonly promise: Promise<number>; resolve(revision: number): void };
  #stopped = Promise.withResolvers<number>();
  #stopping = false;

  constructor(context: InstanceContext) {
    this.#context = context;
    this.#controlPlane = context.roles.controlPlane ? controlPlaneRole(context) : undefined;
    this.#demo = context.roles.demo ? demoRole(context) : undefined;
    this.#current = Promise.withResolvers<number>();
  }

  async run(): Promise<number> {
    listenForStop({ onStop: () => void this.#stop(0), onStopNow: () => this.#stopNow() }, () => systemClock.monotonicMs());
    listenForReplace(() => this.#replaceGateway());
    const { configuration, endpoints } = this.#context;
    const removeRecord = writeInstanceRecord(configuration.dataFolder, configuration.keyringFile, endpoints);
    // The event loop must stay alive while children run, also when their channels are quiet.
    const keepAlive = setInterval(() => {}, 3_600_000);
    try {
      await Promise.race([this.#start(), this.#stopped.promise]);
      return await this.#stopped.promise;
    } catch (error) {
      if (this.#stopping) return await this.#stopped.promise;
      await this.#stop(1);
      throw error;
    } finally {
      clearInterval(keepAlive);
      removeRecord();
    }
  }

  async #start(): Promise<void> {
    const { roles } = this.#context;
    // A gateway that is known already starts beside the control plane: it serves what it has kept until they meet.
    const known = roles.gateway ? await this.#openIdentity() : undefined;
    const demo = this.#demo?.start();
    const controlPlane = this.#controlPlane?.start();
    const early = known === undefined ? undefined : this.#startGateway(known);
    if (known !== undefined && isWithoutControlPlane(known)) this.#joinBeside(known.groupId);
    // Whichever fails first is reported; the others are stopped then.
    for (const started of [demo, controlPlane, early]) started?.catch(() => {});
    if (controlPlane === undefined) {
      // Without a configuration the gateway waits for one, and by a certificate that has expired it gets none.
      this.#joined?.keepFresh();
      await early;
      process.stdout.write(`Portcullis ${this.#context.softwareVersion} gateway is ready on port ${this.#context.endpoints.http.port}.\n`);
      return;
    }
    const ready = readControlPlaneReady(await controlPlane);
    const firstStart = this.#showFirstStart(ready);
    if (roles.gateway) await this.#joinGateway(ready, early);
    await demo;
    if (!this.#stopping) this.#announce(firstStart, ready.database);
  }

  #showFirstStart(ready: ControlPlaneReady): BannerFirstStart | undefined {
    const { configuration, runAs: owner } = this.#context;
    return showFirstStart(ready.firstStart, { dataFolder: configuration.dataFolder, terminal: process.stdout.isTTY === true, owner });
  }

  #announce(firstStart: BannerFirstStart | undefined, database: string | undefined): void {
    const { roles, softwareVersion, endpoints, log } = this.#context;
    const gatewayHost = hostOf(endpoints.http, '127.0.0.1');
    process.stdout.write(
      banner({
        version: softwareVersion,
        adminUrl: originOf('https', hostOf(endpoints.admin, 'localhost'), endpoints.admin.port),
        gatewayUrl: roles.gateway ? originOf('http', gatewayHost, endpoints.http.port) : undefined,
        demo: roles.demo ? { host: hostOf(endpoints.demo, '127.0.0.1'), port: endpoints.demo.port } : undefined,
        groupId: DEFAULT_GROUP,
        database,
        firstStart,
      }),
    );
    log.info('the instance is ready', { version: softwareVersion });
  }

  /** Brings the gateway and the control plane of this instance together, with a certificate that both accept. */
  async #joinGateway(ready: ControlPlaneReady, early: Promise<void> | undefined): Promise<void> {
    this.#authority = ready.authority;
    if (early === undefined) {
      await this.#startGateway(await this.#obtainIdentity());
    } else if (this.#mustRenew()) {
      this.#identity = await this.#obtainIdentity();
      this.#gateway?.replace();
      await early;
    }
    await this.#untilCurrent();
    this.#scheduleRenewal();
  }

  /** The gateway has applied the newest revision. It may never do so, e.g. when the store is older than what it has seen; a person is told then. */
  async #untilCurrent(): Promise<void> {
    const { logFile } = this.#context.configuration;
    const cancel = systemClock.schedule(PATIENCE_MS, () => {
      const where = logFile === undefined ? 'the log' : logFile;
      process.stderr.write(`The gateway serves, but has not taken the newest configuration yet: ${where} says why. Waiting ...\n`);
    });
    await this.#current.promise;
    cancel();
  }

  async #startGateway(identity: DatedIdentity): Promise<void> {
    this.#identity = identity;
    this.#gateway = gatewayRole(this.#context, {
      identity: () => this.#identity ?? identity,
      controlPlanes: (current) => this.#controlPlanesOf(current),
      onCurrent: (revision) => this.#current.resolve(revision),
      onAuthorities: (authority) => this.#noteAuthorities(authority),
    });
    await this.#gateway.start();
  }

  #controlPlanesOf(identity: DatedIdentity): Configuration['controlPlanes'] {
    const { configuration, endpoints, roles } = this.#context;
    if (isWithoutControlPlane(identity)) return [];
    if (!roles.controlPlane) return configuration.controlPlanes;
    const syncHost = endpoints.sync.addresses[0]?.host ?? configuration.syncHosts[0] ?? '127.0.0.1';
    return [{ host: reachable(syncHost), port: endpoints.sync.port }];
  }

  #identityFile(): string {
    const { configuration } = this.#context;
    return configuration.identityFile ?? path.join(configuration.dataFolder, 'gateway', 'identity.json');
  }

  /**
   * With a snapshot nobody is waited for: the gateway serves it, and joins meanwhile.
   *
   * @throws StartError when a gateway that runs alone has none and may not join, or the file is damaged
   */
  async #openIdentity(): Promise<DatedIdentity | undefined> {
    const { configuration, secrets, roles, runAs: owner, log } = this.#context;
    const file = this.#identityFile();
    const known = readIdentity(file);
    if (roles.controlPlane) return known;
    // Loaded here, so that no other supervisor carries it in its memory.
    const { JoinedIdentity } = await import('./joined-identity.ts');
    const fixed = { file, owner, controlPlanes: configuration.controlPlanes, clock: systemClock, random: systemRandom, log };
    this.#joined = new JoinedIdentity({ ...fixed, tell, onChanged: (identity) => this.#useIdentity(identity) }, known);
    if (known !== undefined) return known;
    const token = readJoinToken({ configuration, secrets });
    const alone = snapshotIdentity(this.#context);
    if (alone !== undefined) return alone;
    return token === undefined ? refuseWithoutIdentity(configuration) : this.#joined.join(token);
  }

  /** Of a gateway that serves a snapshot. Without a token it asks nobody. */
  #joinBeside(groupId: string): void {
    const { log } = this.#context;
    const readToken = (): string | undefined => readJoinToken(this.#context);
    if (this.#joined === undefined || readToken() === undefined) return;
    const onJoined = (identity: DatedIdentity): void => {
      // On systems where a process cannot be replaced, the next one takes it up.
      this.#identity = identity;
      this.#replaceGateway();
    };
    this.#cancelJoining = joinBeside({ joined: this.#joined, readToken, groupId, clock: systemClock, log, tell, onJoined });
  }

  /** The gateway goes on with its connection, and shows the new certificate at the next one. */
  #useIdentity(identity: DatedIdentity): void {
    this.#identity = identity;
    // One that is just being started or replaced has it already, or gets it by its start.
    this.#gateway?.request('use-identity', { ...identity }).catch((error: unknown) => {
      const cause = messageOf(error);
      this.#context.log.warn('the gateway process did not take the renewed certificate; it will with its next start', { cause });
    });
  }

  #noteAuthorities(authority: string): void {
    if (this.#joined !== undefined) this.#joined.noteAuthorities(authority);
    else if (this.#authority !== undefined && this.#authority !== authority) {
      this.#authority = authority;
      void this.#renew();
    }
  }

  /** The certificate ends soon, or another authority made it: the store is not the one it came from. */
  #mustRenew(): boolean {
    const identity = this.#identity;
    return identity === undefined || identity.authority !== this.#authority || identity.expiresAtMs - systemClock.nowMs() < RENEW_BEFORE_MS;
  }

  #obtainIdentity(): Promise<DatedIdentity> {
    const known = this.#identity === undefined ? {} : { instanceId: this.#identity.instanceId };
    return obtainIdentity({ file: this.#identityFile(), groupId: DEFAULT_GROUP, owner: this.#context.runAs, ...known }, async (body) => {
      if (this.#controlPlane === undefined) throw new Error('there is no control plane here');
      return this.#controlPlane.request('issue-instance-certificate', body);
    });
  }

  #scheduleRenewal(): void {
    this.#cancelRenewal();
    this.#cancelRenewal = systemClock.schedule(RENEWAL_CHECK_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      if (!this.#stopping && this.#mustRenew()) this.#useIdentity(await this.#obtainIdentity());
    } catch (error) {
      this.#context.log.error('the instance certificate could not be renewed', {}, error);
    }
    this.#scheduleRenewal();
  }

  /** A fresh process beside the old one, with the identity file read anew; the old one goes when the fresh one serves. */
  #replaceGateway(): void {
    const { log, endpoints, roles } = this.#context;
    if (this.#gateway === undefined || this.#stopping) return;
    if (endpoints.http.addresses.length === 0) {
      log.warn('the gateway process is not replaced: this system cannot hand sockets to another process');
      return;
    }
    try {
      const identity = roles.controlPlane ? undefined : readIdentity(this.#identityFile());
      const unfit = identity && unfitForSnapshot(this.#context, identity);
      if (unfit !== undefined) throw new Error(unfit);
      if (identity !== undefined) {
        this.#cancelJoining();
        this.#identity = this.#joined?.takeFromFile(identity) ?? identity;
      }
    } catch (error) {
      log.error('the identity file cannot be taken up anew', {}, error);
    }
    this.#gateway.replace();
  }

  /** Drains what clients talk to first, the control plane last, so that nothing that still runs misses it. */
  async #stop(exitCode: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#cancelJoining();
    this.#joined?.stop();
    const { drainDelayMs, drainTimeoutMs } = this.#context.configuration;
    // With the last copy of a socket closed, the kernel refuses what nobody would answer.
    const { http, https, streams } = this.#context.endpoints;
    systemClock.schedule(drainDelayMs, () => {
      for (const endpoint of [http, https, ...streams.map((stream) => stream.endpoint)]) closeSockets(endpoint);
    });
    await this.#gateway?.stop({ delayMs: drainDelayMs, timeoutMs: drainTimeoutMs });
    await Promise.all([
      this.#controlPlane?.stop({ delayMs: 0, timeoutMs: drainTimeoutMs }),
      this.#demo?.stop({ delayMs: 0, timeoutMs: 1000 }),
    ]);
    this.#stopped.resolve(exitCode);
  }

  #stopNow(): void {
    for (const child of [this.#gateway, this.#controlPlane, this.#demo]) child?.kill();
    this.#stopped.resolve(1);
  }
}

/** To whoever waits for the start. */
function tell(sentence: string): void {
  process.stderr.write(sentence);
}

function closeSockets(endpoint: BoundEndpoint): void {
  for (const { sockets } of endpoint.addresses) for (const socket of sockets) socket.close();
}

/** The address to name for an endpoint: the usual one where it listens there too, else the first. */
function hostOf(endpoint: BoundEndpoint, usual: string): string {
  const hosts = endpoint.addresses.map(({ host }) => host);
  if (hosts.length === 0 || hosts.some((host) => host === '127.0.0.1' || host === '::' || host === '0.0.0.0')) return usual;
  return hosts[0] ?? usual;
}

function reachable(host: string): string {
  if (host === '::' || host === '0.0.0.0') return '127.0.0.1';
  return host;
}
