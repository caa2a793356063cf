import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import {
  type ConfigurationHistory,
  leadOnAfterLoss,
  MemoryInstanceRegistry,
  openHistory,
  Publisher,
  RememberingInstanceRegistry,
} from '../distribution/index.ts';
import { PortcullisError } from '../errors/index.ts';
import { createDialPolicy, type DialPolicy } from '../lib/dial-policy.ts';
import { PLUGIN_SCHEMAS } from '../plugins/schemas.ts';
import {
  type Author,
  type InstanceRegistry,
  isInClear,
  parseDatabaseUrl,
  type RevisionHints,
  type Store,
  type StoreHistory,
  type StoreUsage,
} from '../store/index.ts';
import { addressFilter, trustedProxies } from './address-filter.ts';
import { describedApi } from './api/index.ts';
import type { ControlPlaneAddress, ControlPlaneOptions, FirstStart, RunningControlPlane } from './control-plane-options.ts';
import { createInstanceCertificate } from './create-instance-certificate.ts';
import { type ExpiryClock, openExpiryClock } from './expiry-clock.ts';
import { explainFullDisk } from './explain-full-disk.ts';
import { openInstallation } from './first-start.ts';
import { startHistoryPruner } from './history-pruner.ts';
import { ADMIN_SERVER_LIMITS, type AdminServer, AnswerMemory, startAdminServer } from './http/index.ts';
import type { Installation } from './installation.ts';
import { startInstancePruner } from './instance-pruner.ts';
import { CertificateDesk, SyncAdmission } from './joining/index.ts';
import { ControlPlaneMetrics, startMetrics } from './metrics/index.ts';
import { hasSqliteStore, openControlPlaneStore } from './open-control-plane-store.ts';
import { openPeople, type People } from './people/index.ts';
import { startRecordPruner } from './record-pruner.ts';
import { openSnapshotExport, type SnapshotExporter } from './snapshot-export/index.ts';
import { toSnapshotPlugin } from './snapshot-plugin.ts';
import { type CertificateSource, openCertificateFiles, openKeptCertificate } from './tls/index.ts';
import { startUsagePruner, startUsageRecorder, type UsageRecorder } from './usage/index.ts';
import { warmUp } from './warm-up.ts';
import { warnOfOpenKeyring } from './warn-of-open-keyring.ts';

const SYSTEM: Author = { id: 'system', name: 'system' };
/** How long a drain lets answers go on waiting for gateways, at most. */
const DRAIN_WAIT_MS = 1_000;

/**
 * Starts a control plane: opens keyring and store, makes the installation in a store that has none, and listens for gateways and for
 * the Admin API. When it resolves, everything is open; when it throws, everything is closed again.
 *
 * @throws StartError when a person must change something first: a port in use, an unreadable keyring, a newer store, …
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<RunningControlPlane> {
  // Closed in reverse order, and when the start fails half-way too.
  const closers: (() => Promise<void>)[] = [];
  try {
    const store = await openControlPlaneStore({ ...options, onProgress: (message) => options.log.info(message) });
    closers.push(() => store.close());
    warnOfOpenKeyring(options);
    tellOfDatabase(options);
    closers.push(startHistoryPruner({ ...options, store }));
    const expiryClock = await openExpiryClock({ ...options, store });
    closers.push(() => expiryClock.close());
    closers.push(startRecordPruner({ ...options, store, expiryClock }));
    closers.push(startUsagePruner({ ...options, usage: store.usage }));
    const recorder = startUsageRecorder({ ...options, usage: store.usage });
    closers.push(() => recorder.stop());
    const people = openPeople({ ...options, store, expiryClock, onSignIn: removerOfFirstStartFile(options) });
    closers.push(() => people.uses.flush());
    const certificate = await openCertificate(options);
    closers.push(async () => certificate.stop());
    // As late as possible: what it makes and tells once must not get lost in a start that fails.
    const { installation, firstStart } = await openInstallation({ ...options, store });
    const registry = await openRegistry(options, store);
    const history = await openHistory({ store, random: options.random, registry });
    const admission = await SyncAdmission.open({ store, serverNames: serverNames(options), clock: options.clock });
    const metrics = new ControlPlaneMetrics();
    const publisher = await makePublisher(options, { store, registry, installation, admission, expiryClock, history, recorder, metrics });
    closers.push(() => publisher.close());
    closers.push(startInstancePruner({ ...options, registry }));
    closers.push(store.watchRevisions((groupId) => publisher.checkRevision(groupId)));
    const { ports: syncPorts } = await publisher.start();
    const exporter = openExporter(options, { store, installation, historyId: history.id, onExported: metrics.onExported });
    const stopping = new AbortController();
    const server = await startAdmin(options, {
      store,
      people,
      installation,
      certificate,
      publisher,
      syncPort: syncPorts[0] ?? 0,
      registry,
      expiryClock,
      exporter,
      metrics,
      stopping: stopping.signal,
    });
    exporter?.start();
    closers.push(async () => exporter?.stop());
    const metricsExport = await startMetrics(options, { metrics, store, registry, admission, certificate, exports: exporter });
    closers.push(() => metricsExport.stop());
    certificate.watch((pair) => server.useCertificate(pair));
    // After the start has been reported: nobody sends a request that soon.
    setImmediate(warmUp);
    return runningControlPlane(options, {
      store,
      admission,
      firstStart,
      server,
      syncPorts,
      metricsPorts: metricsExport.ports,
      closers,
      stopWaiting: () => stopping.abort(),
    });
  } catch (error) {
    await closeAll(closers);
    throw explainFullDisk(error, options.dataFolder);
  }
}

/** Where instances are known: in a database that control planes share, else here, with what the store remembers of them. */
async function openRegistry({ clock, log }: ControlPlaneOptions, store: RevisionHints): Promise<InstanceRegistry> {
  if (store.instanceRegistry !== undefined) return store.instanceRegistry;
  if (store.instanceMemory === undefined) return new MemoryInstanceRegistry(clock);
  return RememberingInstanceRegistry.open({ memory: store.instanceMemory, clock, log });
}

/** What a person may not have meant. */
function tellOfDatabase({ database, dataFolder, log }: ControlPlaneOptions): void {
  if (database === undefined) return;
  const address = parseDatabaseUrl(database.url);
  log.info('the store is a PostgreSQL database', { database: address.description, schema: database.schema });
  if (hasSqliteStore(dataFolder)) log.warn('store.sqlite in the data folder is not used while DATABASE_URL is set');
  if (isInClear(address)) log.warn('the connection to the database is not encrypted: add sslmode=verify-full to DATABASE_URL');
}

interface Parts {
  readonly store: Store;
  readonly admission: SyncAdmission;
  readonly firstStart: FirstStart | undefined;
  readonly server: AdminServer;
  readonly syncPorts: readonly number[];
  readonly metricsPorts: readonly number[];
  readonly closers: readonly (() => Promise<void>)[];
  readonly stopWaiting: () => void;
}

function runningControlPlane(options: ControlPlaneOptions, parts: Parts): RunningControlPlane {
  const { store, admission, firstStart, server, syncPorts, metricsPorts, closers } = parts;
  const groupRevision = async (groupId: string): Promise<number> => {
    const group = await store.getGroup(groupId);
    if (group === undefined) throw new Error(`there is no gateway group ${groupId}`);
    return group.revision;
  };
  let drained: Promise<void> | undefined;
  const drain = async (timeoutMs: number): Promise<void> => {
    const cancel = options.clock.schedule(Math.min(DRAIN_WAIT_MS, timeoutMs / 2), parts.stopWaiting);
    await server.drain(timeoutMs);
    cancel();
    await closeAll(closers);
  };
  return {
    database: options.database === undefined ? undefined : parseDatabaseUrl(options.database.url).description,
    firstStart,
    adminAddresses: server.addresses,
    syncPorts,
    metricsPorts,
    authority: admission.tls.ca,
    groupRevision,
    issueInstanceCertificate: (request) => createInstanceCertificate({ store, clock: options.clock, author: SYSTEM, ...request }),
    drain: (timeoutMs) => {
      drained ??= drain(timeoutMs);
      return drained;
    },
  };
}

function openCertificate(options: ControlPlaneOptions): Promise<CertificateSource> {
  const { adminTls, dataFolder, clock, log } = options;
  return adminTls === undefined
    ? openKeptCertificate({ folder: dataFolder, clock, log })
    : openCertificateFiles({ ...adminTls, clock, log });
}

interface PublisherParts {
  readonly store: Store & RevisionHints;
  readonly admission: SyncAdmission;
  readonly expiryClock: ExpiryClock;
  readonly registry: InstanceRegistry;
  readonly installation: Installation;
  readonly history: ConfigurationHistory;
  readonly recorder: UsageRecorder;
  readonly metrics: ControlPlaneMetrics;
}

async function makePublisher(options: ControlPlaneOptions, parts: PublisherParts): Promise<Publisher> {
  const { clock, random, log, softwareVersion, syncListeners, compareIntervalMs } = options;
  const { store, registry, installation, admission, expiryClock, history, recorder, metrics } = parts;
  const desk = new CertificateDesk({ store, authorities: () => admission.authorities, clock, expiryClock, log });
  return new Publisher({
    store,
    listeners: syncListeners,
    tls: admission.tls,
    admission,
    enrollment: metrics.counted(desk),
    events: metrics.events,
    signingKey: installation.signingKey,
    keySalt: installation.keySalt,
    history,
    registry,
    onStoreReplaced: options.onStoreReplaced,
    onLostRevisions: async (known) => {
      await leadOnAfterLoss({ store, random, historyId: history.id, known });
      options.onStoreReplaced?.(new PortcullisError('store_replaced', { detail: LOST_REVISIONS }));
    },
    usage: recorder,
    plugins: PLUGIN_SCHEMAS.map((schema) => toSnapshotPlugin(schema, log)),
    compareIntervalMs,
    clock,
    expiryClock,
    random,
    log,
    softwareVersion,
  });
}

const LOST_REVISIONS =
  'the database has lost its newest revisions, as after a failover to a replica that was behind: revisions go on above them, gateways get snapshots, and this control plane starts anew';

/** Undefined where nothing is to be exported. */
function openExporter(
  options: ControlPlaneOptions,
  parts: Pick<Parameters<typeof openSnapshotExport>[1], 'store' | 'installation' | 'historyId' | 'onExported'>,
): SnapshotExporter | undefined {
  const { snapshotExport } = options;
  if (snapshotExport === undefined) return undefined;
  return openSnapshotExport(snapshotExport, { ...options, ...parts, mayDial: dialPolicyOf(options) });
}

/** What may be connected to: nothing may come back to the control plane's own ports. */
function dialPolicyOf({ adminListeners, syncListeners, metricsListeners, dial }: ControlPlaneOptions): DialPolicy {
  const protectedPorts = [...adminListeners, ...syncListeners, ...metricsListeners].map(({ port }) => port);
  return createDialPolicy({ protectedPorts, ...dial });
}

/** Every name by which a gateway may come: the usual ones, and each address that is listened on. */
function serverNames({ syncListeners, gatewayUrls }: ControlPlaneOptions): string[] {
  const addresses = syncListeners.map(({ host }) => host).filter((host) => host !== '::' && host !== '0.0.0.0');
  return [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...addresses, ...gatewayUrls.map(({ host }) => host)])];
}

/** Where gateways elsewhere find control planes: what the operator says, else this machine by its name, or by loopback where nothing else is listened on. */
function reachedAt({ syncListeners, gatewayUrls }: ControlPlaneOptions, port: number): readonly ControlPlaneAddress[] {
  if (gatewayUrls.length > 0) return gatewayUrls;
  const isLoopback = syncListeners.every(({ host }) => host === '::1' || host.startsWith('127.'));
  return [{ host: isLoopback ? 'localhost' : hostname(), port }];
}

interface AdminParts {
  readonly store: Store & StoreHistory & StoreUsage;
  readonly people: People;
  readonly installation: Installation;
  readonly certificate: CertificateSource;
  readonly publisher: Publisher;
  readonly syncPort: number;
  readonly registry: InstanceRegistry;
  readonly expiryClock: ExpiryClock;
  readonly metrics: ControlPlaneMetrics;
  readonly stopping: AbortSignal;
  readonly exporter: SnapshotExporter | undefined;
}

function startAdmin(options: ControlPlaneOptions, parts: AdminParts): Promise<AdminServer> {
  const { clock, log, random, softwareVersion, adminListeners, dataFolder, keyringFile } = options;
  const closedFolders = [dataFolder, keyringFile];
  const { store, people, installation, certificate, publisher, registry, expiryClock, exporter, metrics, stopping } = parts;
  const { keySalt } = installation;
  const mayDial = dialPolicyOf(options);
  return startAdminServer({
    routes: describedApi({
      ...{ store, usage: store.usage, people, mayDial, publisher, registry, plugins: PLUGIN_SCHEMAS, keySalt, closedFolders },
      ...{ clock, random, log, exporter, stopping },
      joining: {
        softwareVersion,
        controlPlanes: reachedAt(options, parts.syncPort),
        reviewPeers: () => publisher.reviewPeers(),
      },
    }).routes,
    authenticator: people.authenticator,
    answers: new AnswerMemory(clock, expiryClock),
    isAddressAllowed: addressFilter(options.adminAllow),
    isTrustedProxy: trustedProxies(options.adminTrustedAddresses),
    requestRates: options.requestRates,
    onAnswered: metrics.onAnswered,
    random,
    softwareVersion,
    listeners: adminListeners,
    certificate: certificate.current,
    limits: ADMIN_SERVER_LIMITS,
    clock,
    log,
  });
}

/** The first secrets, where they were written to a file: whoever has signed in has read it. */
function removerOfFirstStartFile({ dataFolder, log }: ControlPlaneOptions): () => void {
  let isRemoved = false;
  return () => {
    if (isRemoved) return;
    isRemoved = true;
    rm(path.join(dataFolder, 'first-start.txt'), { force: true }).catch((error: unknown) =>
      log.error('first-start.txt could not be removed: remove it by hand', {}, error),
    );
  };
}

async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closers.toReversed()) await close();
}
