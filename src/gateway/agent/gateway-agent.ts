import { hostname } from 'node:os';
import { createStatusServer, type LogRotation, openAccessLog, type StatusServer, startLogRotation } from '../../observability/index.ts';
import type { AnyPlugin } from '../../plugin-kit/index.ts';
import { PLUGINS } from '../../plugins/index.ts';
import type { SnapshotDelta } from '../../schema/index.ts';
import { CounterTables, type MachineTime, machineTime } from '../counters/index.ts';
import { Freshness, registerFreshnessGauges } from '../freshness/index.ts';
import type { GatewayOptions, RunningGateway } from '../gateway-options.ts';
import { HealthBoard, type HealthMonitor, healthView, nodeStates } from '../health/index.ts';
import { type LoadTables, readDescriptorLimit } from '../limits/index.ts';
import { LoopLag, MetricsExport, registerInstanceGauges } from '../metrics/index.ts';
import { type OpenSecretValues, openSecretValues, resolvePluginSettings } from '../secrets/index.ts';
import { type GatewayStatus, reasonNotReady, statusRoutes } from '../status/index.ts';
import { CredentialIndexWriter } from '../tables/index.ts';
import { WorkerBoard } from '../worker/worker-board.ts';
import type { AgentMessage } from '../worker/worker-messages.ts';
import { ConditionWaiters } from './condition-waiters.ts';
import { ConfigurationSet } from './configuration-set.ts';
import { type OpenConfigurationSource, openControlPlaneSource } from './configuration-source.ts';
import { createHealthMonitor } from './create-health-monitor.ts';
import { createLoadTables } from './create-load-tables.ts';
import { createNodeNames } from './create-node-names.ts';
import { createUsageCollector } from './create-usage-collector.ts';
import { GatewayConfiguration } from './gateway-configuration.ts';
import { lastWords } from './last-words.ts';
import { listenForStatus } from './listen-for-status.ts';
import { listeningWorkers } from './listening-workers.ts';
import type { NodeNames } from './node-names.ts';
import { OpenedSource } from './opened-source.ts';
import { launchThread } from './prepared-threads.ts';
import { relayLog } from './relay-log.ts';
import { TicketSecrets } from './ticket-secrets.ts';
import { WorkerFleet } from './worker-fleet.ts';
import { workerStart } from './worker-start.ts';
import { WorkerThread } from './worker-thread.ts';
import { yieldTurn } from './yield-turn.ts';

const HEARTBEAT_CHECK_MS = 250;
/** A process beside one that it replaces leaves the status to that one, but no longer than this: it might have died. */
const STATUS_PATIENCE_MS = 5000;

/**
 * The gateway's main thread: it follows the control plane, owns everything that workers share, starts and replaces them, and tells
 * how they are. It never touches a request.
 */
export class GatewayAgent implements RunningGateway {
  readonly #options: GatewayOptions;
  readonly #plugins: readonly AnyPlugin[];
  readonly #board: WorkerBoard;
  readonly #tables: CredentialIndexWriter;
  readonly #load: LoadTables;
  readonly #metrics: MetricsExport;
  readonly #counters: CounterTables;
  readonly #usage: ReturnType<typeof createUsageCollector>;
  readonly #ticketSecrets: TicketSecrets;
  readonly #loopLag = new Float64Array(1);
  readonly #machineMs: MachineTime;
  readonly #names: NodeNames;
  readonly #healthBoard: HealthBoard;
  readonly #health: HealthMonitor;
  readonly #secrets: OpenSecretValues;
  readonly #set = new ConfigurationSet();
  readonly #freshness: Freshness;
  readonly #fleet: WorkerFleet;
  readonly #configuration: GatewayConfiguration;
  readonly #waiters = new ConditionWaiters();
  readonly #source = new OpenedSource({
    tellUsage: (source) => this.#usage.stop(source?.usageLink()),
    after: (delayMs) => this.#after(delayMs),
  });
  #statusServer: StatusServer | undefined;
  #statusPorts: readonly number[] = [];
  #rotation: LogRotation | undefined;
  #revision: number | undefined;
  /** The newest revision that was in force when the control plane had named none newer. */
  #currentRevision: number | undefined;
  #isLoaded = false;
  #draining = false;
  #isReplaced = false;
  #statusListening: Promise<void> | undefined;
  #stopped = false;

  private constructor(options: GatewayOptions, freshness: Freshness) {
    const { clock, random, log } = options;
    this.#options = options;
    this.#freshness = freshness;
    // A slot's next thread starts before the memory of the one before is given back, and there is a spare one.
    const maxThreads = options.workers.length * 2 + 2;
    this.#board = WorkerBoard.forWorkers(maxThreads);
    this.#machineMs = machineTime(clock);
    this.#board.expiryOffsetMs = freshness.nowMs() - this.#machineMs();
    this.#plugins = [...PLUGINS, ...(options.testPlugins?.plugins ?? [])];
    this.#secrets = openSecretValues(options);
    this.#tables = new CredentialIndexWriter({
      plugins: PLUGINS.filter(({ type }) => type === 'auth').map(({ name }) => name),
      consumerPlugins: this.#plugins,
      resolvePlugins: (plugins) => resolvePluginSettings(plugins, this.#secrets.values.valueOf),
      maxReaders: maxThreads,
      random,
      log,
    });
    this.#ticketSecrets = new TicketSecrets({ random, clock, onRenewed: (message) => this.#fleet.broadcast(message) });
    this.#load = createLoadTables(options, maxThreads);
    this.#metrics = new MetricsExport({ rows: maxThreads, listeners: options.metricsListeners, clock, log, yieldTurn });
    this.#counters = new CounterTables({ rows: maxThreads, random, nowMs: this.#machineMs(), wallMs: clock.nowMs() });
    this.#usage = createUsageCollector(options, maxThreads, () => this.#source.current?.usageLink());
    this.#registerGauges();
    this.#names = createNodeNames(options, (name) => this.#nodesChanged(name));
    this.#healthBoard = HealthBoard.forWorkers(maxThreads);
    this.#health = createHealthMonitor(options, {
      board: this.#healthBoard,
      nodes: this.#names,
      tlsItems: this.#set.tlsItems,
      broadcast: (message) => this.#fleet.broadcast(message),
      report: (report) => this.#source.current?.reportHealth(report),
    });
    this.#fleet = this.#createFleet();
    this.#configuration = this.#createConfiguration();
  }

  /** @throws StartError when a listener or the access log cannot be had */
  static async start(options: GatewayOptions, openSource: OpenConfigurationSource = openControlPlaneSource): Promise<GatewayAgent> {
    if (options.accessLogFile !== undefined) await openAccessLog({ file: options.accessLogFile, maxBufferedBytes: 1 }).close();
    const freshness = await Freshness.open({ ...options, folder: options.dataFolder, limit: options.ageLimit });
    const agent = new GatewayAgent(options, freshness);
    const isBeside = options.previousExit.kind === 'replaced';
    if (!isBeside) await agent.#listenForAgents();
    try {
      agent.#source.use(await openSource(options, agent.#configuration, (revision) => agent.#becameCurrent(revision), freshness));
    } catch (error) {
      await Promise.all([agent.#statusServer?.close(), agent.#metrics.close()]);
      agent.#health.close();
      agent.#names.close();
      agent.#secrets.close();
      throw error;
    }
    agent.#run();
    if (isBeside) agent.#statusListening = agent.#listenForStatusLater();
    return agent;
  }

  get ports(): RunningGateway['ports'] {
    return { ...this.#fleet.listening, status: this.#statusPorts, metrics: this.#metrics.ports };
  }

  async whenCurrent(): Promise<{ readonly revision: number }> {
    await this.#waiters.wait(() => this.#currentRevision !== undefined && this.#isReady());
    return { revision: this.#currentRevision ?? 0 };
  }

  async whenReady(): Promise<void> {
    await this.#waiters.wait(() => this.#isReady());
    await this.#statusListening;
  }

  /** Lets go of the journal and of the control plane, which the process that takes over needs for itself, and serves on. */
  async handOver(): Promise<void> {
    this.#isReplaced = true;
    await this.#source.handOver();
  }

  follow(delta: SnapshotDelta): Promise<void> {
    return this.#source.follow(delta);
  }

  leaveControlPlane(): Promise<void> {
    return this.#source.leaveControlPlane();
  }

  async drain(options: { readonly delayMs: number; readonly timeoutMs: number }): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    this.#fleet.broadcast({ kind: 'announce-drain' });
    // The instance is ready all the same: its next process says so.
    if (this.#isReplaced) {
      this.#statusServer?.stopAccepting();
      this.#metrics.stopAccepting();
    }
    if (options.delayMs > 0) await this.#after(options.delayMs);
    this.#stopped = true;
    this.#waiters.giveUp(new Error('the gateway has stopped'));
    await this.#source.stop();
    await this.#fleet.drain(options.timeoutMs);
    await this.#source.end();
    this.#rotation?.stop();
    this.#ticketSecrets.stop();
    this.#health.close();
    this.#names.close();
    this.#secrets.close();
    await Promise.all([this.#statusServer?.close(), this.#metrics.close(), this.#isReplaced ? undefined : this.#freshness.close()]);
  }

  #run(): void {
    this.#fleet.start();
    this.#usage.start();
    this.#watchHeartbeats();
    const { accessLogFile, clock, log } = this.#options;
    if (accessLogFile !== undefined) {
      const onRotated = (): void => this.#fleet.broadcast({ kind: 'reopen-logs' });
      this.#rotation = startLogRotation({ file: accessLogFile, clock, log, onRotated });
    }
    void this.#source.current?.start().then(() => {
      this.#isLoaded = true;
      this.#allowListening();
    });
  }

  /** For those who look after the instance: status and metrics. */
  async #listenForAgents(): Promise<void> {
    const { statusListeners, testHooks, log } = this.#options;
    const routes = statusRoutes({
      status: () => this.#status(),
      health: () => healthView(this.#health.upstreams),
      fail: testHooks ? (worker, failure) => this.#fleet.fail(worker, failure) : undefined,
    });
    const server = createStatusServer({ listeners: statusListeners, routes, log });
    this.#statusPorts = await listenForStatus(server, statusListeners);
    this.#statusServer = server;
    try {
      await this.#metrics.listen();
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  async #listenForStatusLater(): Promise<void> {
    await Promise.race([this.#waiters.wait(() => this.#isReady()), this.#after(STATUS_PATIENCE_MS)]).catch(() => {});
    if (this.#stopped) return;
    const { log } = this.#options;
    await this.#listenForAgents().catch((error) => log.error('the status or metrics address cannot be listened on', {}, error));
  }

  #createFleet(): WorkerFleet {
    const { httpAddresses, httpsAddresses, streamAddresses = [], clock, log, onDescriptorsUsedUp } = this.#options;
    const { workers, reusePort } = listeningWorkers(this.#options);
    return new WorkerFleet({
      workers,
      own: { addresses: httpAddresses, encryptedAddresses: httpsAddresses, streamAddresses, reusePort },
      clock,
      log,
      yieldTurn,
      startThread: () => this.#startThread(),
      greeting: () => this.#greeting(),
      configuration: () => this.#set.parts(),
      beatOf: (row) => this.#board.beat(row),
      onDescriptorsUsedUp,
      onStateChanged: () => this.#waiters.check(),
      onAddressRefused: (error) => this.#waiters.giveUp(error),
    });
  }

  #createConfiguration(): GatewayConfiguration {
    return new GatewayConfiguration({
      set: this.#set,
      health: this.#health,
      plugins: this.#plugins,
      names: this.#names,
      tables: this.#tables,
      fleet: this.#fleet,
      secrets: { values: this.#secrets.values, log: this.#options.log },
      yieldTurn,
      monotonicMs: () => this.#options.clock.monotonicMs(),
      onApplied: (revision) => this.#applied(revision),
    });
  }

  /** Of a name that has other addresses, or a service that has other nodes. */
  #nodesChanged(name: string): void {
    this.#health.nameChanged(name);
    this.#fleet.broadcast({ kind: 'addresses', entries: this.#names.known([name]) });
  }

  #becameCurrent(revision: number): void {
    this.#currentRevision = revision;
    this.#waiters.check();
  }

  #startThread(): WorkerThread {
    const row = this.#tables.registerReader();
    this.#board.clearRow(row);
    const start = workerStart(this.#options, {
      row,
      board: this.#board.shared,
      tables: this.#tables.handles,
      load: this.#load.handles,
      health: this.#healthBoard.shared,
      metrics: this.#metrics.metrics.handles,
      counters: this.#counters.handles,
      usage: this.#usage.handles,
    });
    return new WorkerThread(this.#options.threads?.take() ?? launchThread(), start, {
      onLog: (thread, message) => relayLog(this.#options.log, message, this.#fleet.slotOf(thread)),
      onAccepting: (thread, state) => this.#fleet.onAccepting(thread, state),
      onListeningEncrypted: (ports) => this.#fleet.onListeningEncrypted(ports),
      onHealthReported: (thread) => this.#health.drain(thread.row),
      onEnded: (thread, error) => this.#threadEnded(thread, error),
    });
  }

  #greeting(): readonly AgentMessage[] {
    const { keySalt } = this.#configuration;
    return [
      { kind: 'health', put: this.#health.entries(), removed: [] },
      { kind: 'addresses', entries: this.#names.known() },
      this.#ticketSecrets.message(),
      ...(keySalt === undefined ? [] : [{ kind: 'salt', keySalt } as const]),
      ...(this.#draining ? [{ kind: 'announce-drain' } as const] : []),
    ];
  }

  #applied(revision: number): void {
    this.#revision = revision;
    this.#board.revision = revision;
    this.#allowListening();
    this.#waiters.check();
  }

  /**
   * Nobody is served before all that is kept on this machine is in force: the snapshot that the journal begins with may know keys
   * that its later deltas revoke.
   */
  #allowListening(): void {
    if (this.#isLoaded && this.#revision !== undefined) this.#fleet.allowListening();
  }

  #threadEnded(thread: WorkerThread, error: Error | undefined): void {
    const slot = this.#fleet.slotOf(thread);
    if (!this.#stopped) {
      const last = this.#board.lastEntered(thread.row);
      const fields = lastWords(thread, error, { slot, last, numbers: this.#set.numbers, plugins: this.#plugins });
      this.#options.log.error('a worker thread ended and is replaced', fields, error);
      this.#source.current?.restartProbation();
    }
    for (const kept of [this.#load, this.#health, this.#metrics.metrics, this.#counters]) kept.clearRow(thread.row);
    this.#usage.endWriting(thread.row);
    this.#tables.releaseReader(thread.row);
    this.#fleet.onThreadEnded(thread);
  }

  #watchHeartbeats(): void {
    const { clock } = this.#options;
    const lag = new LoopLag(this.#loopLag, 0, HEARTBEAT_CHECK_MS);
    const check = (): void => {
      if (this.#stopped) return;
      lag.beat(clock.monotonicMs());
      this.#fleet.checkHeartbeats();
      this.#tables.reclaim();
      // The process that takes over looks after it, once it has.
      if (!this.#isReplaced) {
        this.#board.refusesRequests = this.#freshness.update(this.#source.current, this.#revision).refusesRequests;
        this.#board.expiryOffsetMs = this.#freshness.nowMs() - this.#machineMs();
      }
      clock.schedule(HEARTBEAT_CHECK_MS, check);
    };
    clock.schedule(HEARTBEAT_CHECK_MS, check);
  }

  #registerGauges(): void {
    const { clock, softwareVersion } = this.#options;
    const { metrics } = this.#metrics;
    registerFreshnessGauges(metrics, { state: () => this.#freshness.state, stateCheck: () => this.#source.current?.stateCheck(), clock });
    registerInstanceGauges(metrics, {
      load: () => this.#load.load,
      admittedClients: () => this.#load.admittedClients,
      counterUsage: () => this.#counters.usage(this.#machineMs()),
      revision: () => this.#revision,
      nodeStates: () => nodeStates(this.#health.upstreams),
      controlPlaneIsReachable: () => this.#source.current?.isConnected() ?? false,
      loopLagsMs: () => [
        ['agent', this.#loopLag[0] ?? 0],
        ...this.#fleet.rows.flatMap((row, slot) => (row === undefined ? [] : [[`worker ${slot}`, metrics.loopLagMs(row)] as const])),
      ],
      descriptorLimit: readDescriptorLimit(),
      hostName: hostname(),
      version: softwareVersion,
      startedAtMs: clock.nowMs(),
    });
  }

  #status(): GatewayStatus {
    return {
      revision: this.#revision,
      workers: this.#fleet.states,
      hasSpare: this.#fleet.hasSpare,
      draining: this.#draining && !this.#isReplaced,
      load: this.#load.load,
      freshness: this.#freshness.state,
    };
  }

  #isReady(): boolean {
    return reasonNotReady(this.#status()) === undefined;
  }

  #after(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.schedule(delayMs, resolve));
  }
}
