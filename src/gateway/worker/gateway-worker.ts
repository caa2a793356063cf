import { DEFAULT_ENGINE_TIMEOUTS, HttpServer, type ProxyTrust, type TransportChoice, UpstreamPool } from '../../engine/index.ts';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { HeldClock } from '../../lib/held-clock.ts';
import { networkList } from '../../lib/network-list.ts';
import { type Random, systemRandom } from '../../lib/random.ts';
import type { Logger } from '../../observability/logger.ts';
import { type AccessLog, openAccessLog } from '../../observability/worker-side.ts';
import type { AnyPlugin } from '../../plugin-kit/index.ts';
import { PLUGINS } from '../../plugins/index.ts';
import { machineTime } from '../counters/index.ts';
import { HealthBook } from '../health/index.ts';
import { deriveDatagramSessions, WorkerLoad } from '../limits/index.ts';
import { HTTP_REQUESTS, WorkerMetrics } from '../metrics/index.ts';
import { createDialPolicy, type DialPolicy } from '../names/index.ts';
import { ClientHeaderRules, FilterFailure, Pipeline, REQUEST_ID_HEADER } from '../pipeline/index.ts';
import { AddressBook, catalogueOf, Runtime } from '../runtime/index.ts';
import { StreamPipeline } from '../streams/index.ts';
import { CredentialIndexReader } from '../tables/index.ts';
import { TicketKeys, TlsItems, UpstreamIdentities } from '../tls/index.ts';
import { UsageCounter } from '../usage/index.ts';
import { CredentialDirectory } from './credential-directory.ts';
import { ExpiryClock } from './expiry-clock.ts';
import { HandshakeLog } from './handshake-log.ts';
import { PreparedChanges } from './prepared-changes.ts';
import { StreamListening } from './stream-listening.ts';
import { failOnPurpose } from './test-failures.ts';
import { TlsListening } from './tls-listening.ts';
import { WorkerBoard, type WorkerRow } from './worker-board.ts';
import { createWorkerLogger } from './worker-logger.ts';
import type { AgentMessage, WorkerMessage, WorkerSocket, WorkerStart, WorkerStreamSocket } from './worker-messages.ts';
import { WorkerPluginServices } from './worker-plugin-services.ts';

/** How often a worker shows that it lives; the agent ends one that is silent for twenty times as long. */
const HEARTBEAT_MS = 100;
/** Lines of the access log that may wait for the disk. */
const ACCESS_LOG_BUFFER_BYTES = 4 * 1024 * 1024;
const SERVER_HEADER = 'Portcullis';
/** In force until the agent has told its own, which is before there is any certificate. */
const NO_TICKET_KEY = systemRandom.bytes(32);

/** One worker thread: an HTTP server with the pipeline behind it, doing what the agent says. */
export class GatewayWorker {
  readonly #start: WorkerStart;
  readonly #post: (message: WorkerMessage) => void;
  readonly #clock: Clock = new HeldClock(systemClock);
  readonly #log: Logger;
  readonly #row: WorkerRow;
  readonly #handshakeLog: HandshakeLog;
  readonly #reader: CredentialIndexReader;
  readonly #directory: CredentialDirectory;
  readonly #metrics: WorkerMetrics;
  readonly #expiryClock: ExpiryClock;
  readonly #services: WorkerPluginServices;
  readonly #headerRules: ClientHeaderRules;
  readonly #addresses = new AddressBook();
  readonly #load: WorkerLoad;
  readonly #health: HealthBook;
  readonly #pool: UpstreamPool;
  readonly #mayDial: DialPolicy;
  readonly #runtime: Runtime;
  readonly #changes: PreparedChanges;
  readonly #accessLog: AccessLog | undefined;
  readonly #ticketKeys = new TicketKeys(NO_TICKET_KEY);
  readonly #tls: TlsListening;
  readonly #server: HttpServer;
  readonly #streams: StreamListening;

  /** `others`: plugins beside the product's. */
  constructor(start: WorkerStart, transport: TransportChoice, others: readonly AnyPlugin[], post: (message: WorkerMessage) => void) {
    const random: Random = systemRandom;
    const board = new WorkerBoard(start.board);
    this.#start = start;
    this.#post = post;
    this.#log = createWorkerLogger(post, this.#clock);
    this.#mayDial = createDialPolicy({ protectedPorts: start.protectedPorts, ...start.dial });
    this.#row = board.row(start.row);
    this.#handshakeLog = new HandshakeLog(this.#log, this.#clock);
    this.#reader = new CredentialIndexReader(start.tables, start.row);
    this.#directory = new CredentialDirectory(this.#reader);
    this.#metrics = new WorkerMetrics(start.metrics, start.row);
    this.#expiryClock = new ExpiryClock({ clock: this.#clock, board, machineMs: machineTime(this.#clock) });
    this.#services = this.#createServices(random);
    this.#headerRules = new ClientHeaderRules(PLUGINS.flatMap(fixedIdentityHeaders));
    const { limits, timeouts, http2Cleartext = false } = start.engine;
    const { upstreamIdleMs, upstreamAgeMs } = { ...DEFAULT_ENGINE_TIMEOUTS, ...timeouts };
    this.#load = new WorkerLoad({ handles: start.load, row: start.row, log: this.#log, clock: this.#clock });
    const { admission } = this.#load;
    this.#health = new HealthBook({ board: start.health, row: start.row, wake: () => post({ kind: 'health-reported' }) });
    this.#pool = new UpstreamPool({
      clock: this.#clock,
      transport: transport.kind,
      idleTimeoutMs: upstreamIdleMs,
      connectionAgeMs: upstreamAgeMs,
      ...(limits.storedBytes === undefined ? {} : { storedBytes: limits.storedBytes }),
      admission,
    });
    this.#runtime = this.#createRuntime(random, others);
    this.#changes = new PreparedChanges(this.#runtime);
    this.#accessLog = this.#openAccessLog();
    const pipeline = new Pipeline({
      routes: this.#runtime,
      consumers: this.#directory,
      keepsRevoked: start.keepRevokedExchanges,
      expiryClock: this.#expiryClock,
      headerRules: this.#headerRules,
      trustedAddresses: networkList(start.trustedAddresses),
      pluginDeadlineMs: start.pluginDeadlineMs,
      random,
      clock: this.#clock,
      log: this.#log,
      enter: (route, plugin) => this.#row.enter(route, plugin),
      revision: () => board.revision,
      isTooOld: () => board.refusesRequests,
      admission,
      accessLog: this.#accessLog,
      requests: this.#metrics.counter(HTTP_REQUESTS).series([]),
      usage: new UsageCounter(start.usage, start.row),
    });
    for (const { kind, failure } of transport.refused) {
      this.#log.warn('sockets are driven in a slower way', { refused: kind, failure, used: transport.kind });
    }
    this.#streams = this.#createStreams(transport, board, random);
    this.#server = new HttpServer({
      proxied: { clear: this.#proxyTrust('http'), encrypted: this.#proxyTrust('https') },
      transport: transport.kind,
      handler: pipeline,
      pool: this.#pool,
      admission,
      refusedConnections: start.load.refusedConnections,
      limits,
      timeouts,
      http2Cleartext,
      serverHeader: SERVER_HEADER,
      showUpstreamStatus: start.showUpstreamStatus,
      ownResponseFields: [REQUEST_ID_HEADER],
      clock: this.#clock,
      onHandshakeFailed: (failure, address) => this.#handshakeLog.failed(failure, address),
      onFailure: (error) => {
        // The pipeline has logged it already, with plugin and route.
        if (!(error instanceof FilterFailure)) this.#log.error('a request or an accept failed', {}, error);
      },
    });
    this.#tls = new TlsListening({ server: this.#server, hosts: this.#runtime.tls.hosts, post, log: this.#log });
  }

  #createStreams(transport: TransportChoice, board: WorkerBoard, random: Random): StreamListening {
    const { admission } = this.#load;
    const handler = (): StreamPipeline =>
      new StreamPipeline({
        routes: this.#runtime.streamRoutes,
        admission,
        clock: this.#clock,
        random,
        log: this.#log,
        enter: (route, plugin) => this.#row.enter(route, plugin),
        revision: () => board.revision,
        isTooOld: () => board.refusesRequests,
        accessLog: this.#accessLog,
        pluginDeadlineMs: this.#start.pluginDeadlineMs,
      });
    return new StreamListening({
      handler,
      pool: this.#pool,
      clock: this.#clock,
      timeouts: this.#start.engine.timeouts,
      admission,
      mostSessions: deriveDatagramSessions(admission.limits, this.#start.workers),
      transport: transport.kind,
      proxied: this.#proxyTrust('stream'),
      hosts: this.#runtime.tls.hosts,
      handshakes: this.#start.engine.limits.handshakes,
      onHandshakeFailed: (failure, address) => this.#handshakeLog.failed(failure, address),
      onFailure: (error) => this.#log.error('a stream or an accept failed', {}, error),
    });
  }

  /** Undefined where the listener takes no PROXY headers. */
  #proxyTrust(listener: WorkerStart['proxyProtocol'][number]): ProxyTrust | undefined {
    const { proxyProtocol, trustedAddresses } = this.#start;
    const trusted = networkList(trustedAddresses);
    if (trusted === undefined || !proxyProtocol.includes(listener)) return undefined;
    return {
      clock: this.#clock,
      trusts: (address) => trusted.has(canonicalAddress(address) ?? address),
      onRefused: (reason, address) => this.#log.warn('a connection of a proxy was closed', { listener, reason, address }),
    };
  }

  /** Begins to show that it lives. */
  run(): void {
    const lag = this.#metrics.loopLag(HEARTBEAT_MS);
    const beat = (): void => {
      this.#row.beat();
      lag.beat(this.#clock.monotonicMs());
      // Between two events, so no look-up is under way.
      this.#reader.passEpoch();
      this.#load.beat();
    };
    this.#load.control({
      clients: this.#server,
      upstreams: this.#pool,
      pause: () => {
        this.#server.stopAccepting();
        this.#tls.stop();
        this.#streams.pause();
        this.#post({ kind: 'paused' });
      },
      resume: () => this.#post({ kind: 'may-resume' }),
    });
    beat();
    setInterval(beat, HEARTBEAT_MS);
  }

  receive(message: AgentMessage): void {
    switch (message.kind) {
      case 'salt':
        this.#directory.keySalt = message.keySalt;
        return;
      case 'addresses':
        for (const { name, addresses, nodes } of message.entries) this.#addresses.update(name, addresses, nodes);
        return;
      case 'ticket-keys':
        this.#ticketKeys.renew(message.current, message.previous);
        return;
      case 'health':
        this.#health.update(message.put, message.removed);
        return;
      case 'changes':
        this.#changes.collect(message.change, message.changes);
        return;
      case 'prepare':
        void this.#prepare(message.change);
        return;
      case 'commit':
        void this.#commit(message.change);
        return;
      case 'abandon':
        this.#changes.abandon(message.change);
        return;
      case 'listen':
        void this.#listen(message.sockets, message.streams);
        return;
      case 'reopen-logs':
        this.#accessLog?.reopen();
        this.#services.reopenFiles();
        return;
      case 'announce-drain':
        this.#server.announceDrain();
        return;
      case 'drain':
        void this.#drain(message.timeoutMs);
        return;
      case 'fail':
        if (this.#start.testHooks) failOnPurpose(message.failure);
    }
  }

  #createRuntime(random: Random, others: readonly AnyPlugin[]): Runtime {
    const tls = new TlsItems({
      fallbackName: this.#start.fallbackSni,
      ticketKeys: this.#ticketKeys,
      nowMs: () => this.#clock.nowMs(),
      onProblem: (owner, problem) => this.#log.error('a TLS host cannot be served as it is written', { object: owner, problem }),
    });
    return new Runtime({
      addresses: this.#addresses,
      targets: this.#pool,
      slots: this.#load.admission,
      health: this.#health,
      mayDial: this.#mayDial,
      random,
      catalogue: catalogueOf(PLUGINS, others),
      tls,
      identities: new UpstreamIdentities({
        items: tls,
        verifiesByDefault: this.#start.verifyUpstreams,
        onFailed: (failure) => this.#handshakeLog.upstreamFailed(failure),
        onProblem: (owner, problem) => this.#log.error('an upstream cannot be spoken to as it is written', { object: owner, problem }),
      }),
      services: this.#services,
      onDisposeFailed: (plugin, error) => this.#log.error('a plugin failed to dispose of its state', { plugin }, error),
      yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
      monotonicMs: () => this.#clock.monotonicMs(),
    });
  }

  #openAccessLog(): AccessLog | undefined {
    const file = this.#start.accessLogFile;
    if (file === undefined) return undefined;
    return openAccessLog({ file, maxBufferedBytes: ACCESS_LOG_BUFFER_BYTES, log: this.#log, clock: this.#clock });
  }

  #createServices(random: Random): WorkerPluginServices {
    const { counters, row, workers, forbiddenFolders, httpsPort, softwareVersion } = this.#start;
    return new WorkerPluginServices({
      clock: this.#clock,
      expiryClock: this.#expiryClock,
      random,
      log: this.#log,
      counters,
      row,
      workers,
      metrics: this.#metrics,
      mayDial: this.#mayDial,
      forbiddenFolders,
      httpsPort,
      version: softwareVersion,
    });
  }

  async #commit(change: number): Promise<void> {
    this.#changes.commit(change);
    const changed = this.#runtime.identityHeaders.takeChanged();
    if (changed !== undefined) this.#headerRules.renew(changed);
    // Whoever has written the first certificate may use it at once.
    await this.#tls.openIfCertified();
    this.#post({ kind: 'committed', change });
  }

  async #prepare(change: number): Promise<void> {
    this.#post({ kind: 'prepared', change, failure: await this.#changes.prepare(change) });
  }

  async #listen(sockets: readonly WorkerSocket[], streams: readonly WorkerStreamSocket[]): Promise<void> {
    try {
      const ports: number[] = [];
      for (const { fds, host, port, reusePort } of sockets.filter(({ encrypted }) => !encrypted)) {
        const [first, ...others] = fds.length === 0 ? [{ host, port, reusePort }] : fds.map((fd) => ({ fd }));
        if (first !== undefined) ports.push((await this.#server.listen(first)).port);
        for (const other of others) await this.#server.listen(other);
      }
      await this.#tls.begin(sockets.filter(({ encrypted }) => encrypted));
      const streamPorts = await this.#streams.listen(streams);
      this.#load.listens();
      this.#post({ kind: 'listening', ports, streamPorts });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      this.#post({ kind: 'listen-failed', code, message: error instanceof Error ? error.message : String(error) });
    }
  }

  async #drain(timeoutMs: number): Promise<void> {
    this.#load.stop();
    this.#server.beginDrain();
    // Within two turns whatever waits in the socket's queue is accepted.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#server.stopAccepting();
    this.#tls.stop();
    this.#streams.stopAccepting();
    const cut = setTimeout(() => {
      this.#server.destroyAll();
      this.#streams.destroyAll();
    }, timeoutMs);
    await Promise.all([this.#server.whenIdle(), this.#streams.whenIdle()]);
    clearTimeout(cut);
    this.#streams.close();
    // Whatever plugins still hold back, such as lines for a log server, is sent now.
    this.#runtime.close();
    this.#pool.close();
    await Promise.all([this.#accessLog?.close(), this.#services.close()]);
    this.#post({ kind: 'drained' });
  }
}

/** Those that a plugin asserts whatever its configuration says. */
function fixedIdentityHeaders({ identityHeaders }: AnyPlugin): readonly string[] {
  return typeof identityHeaders === 'function' ? [] : identityHeaders;
}
