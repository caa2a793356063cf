import { HttpServer, UpstreamPool } from '../../engine/index.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { type Random, systemRandom } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import { type AnyPlugin, readPluginConfiguration } from '../../plugin-kit/index.ts';
import { PLUGINS } from '../../plugins/index.ts';
import { readTlsItem, type SnapshotItem } from '../../schema/index.ts';
import { consumerNeedsOf } from '../agent/consumer-needs.ts';
import { CounterTables, machineTime } from '../counters/index.ts';
import { InstanceMetrics, WorkerMetrics } from '../metrics/index.ts';
import { createDialPolicy } from '../names/index.ts';
import { ClientHeaderRules, FilterFailure, Pipeline, REQUEST_ID_HEADER } from '../pipeline/index.ts';
import { AddressBook, catalogueOf, Runtime } from '../runtime/index.ts';
import { readPlugins, readRouteSettings, readServiceSettings, readUpstreamSettings } from '../runtime/read-settings.ts';
import { CredentialIndexReader, CredentialIndexWriter } from '../tables/index.ts';
import { TicketKeys, TlsItems, UpstreamIdentities } from '../tls/index.ts';
import { CredentialDirectory } from '../worker/credential-directory.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { WorkerPluginServices } from '../worker/worker-plugin-services.ts';
import { fetchOver } from './fetch-over.ts';
import type { GatewayDefinition } from './gateway-definition.ts';
import { snapshotOfDefinition } from './snapshot-of-definition.ts';

/** What an in-process gateway may be given. */
export interface InProcessOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Beside the product's own. */
  readonly plugins?: readonly AnyPlugin[];
  /** Whether it speaks HTTP/2 too, to clients that begin with it. */
  readonly http2Cleartext?: boolean;
  /** Hears what a gateway would write to its event log; nobody unless said. */
  readonly log?: Logger;
}

/** A whole gateway in this process: engine, router, plugins, balancer, counters; only control plane and threads are missing. */
export interface InProcessGateway {
  /** What a client would get. */
  fetch(request: Request): Promise<Response>;
  /** Where it listens, on 127.0.0.1, for clients that `Request` cannot be. */
  port(): Promise<number>;
  close(): Promise<void>;
}

/** Counters of a gateway that a test makes by the thousand. */
const COUNTER_BYTES = 1024 * 1024;
const METRICS_OF_TESTS = { series: 1000, metrics: 64, cells: 16_384, textBytes: 64 * 1024 };

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => SILENT };

/**
 * Puts a configuration in force, checked as the Admin API checks it. Requests go the way that they go in production, over a
 * connection of 127.0.0.1.
 *
 * @throws TypeError that names the faults of the configuration
 */
export function createGateway(definition: GatewayDefinition, options: InProcessOptions = {}): InProcessGateway {
  const { clock = systemClock, random = systemRandom, log = SILENT, http2Cleartext = false } = options;
  const plugins = [...PLUGINS, ...(options.plugins ?? [])];
  const salt = random.bytes(32);
  const items = snapshotOfDefinition(definition, plugins, salt);
  const parts = createParts({ clock, random, log, http2Cleartext, plugins, others: options.plugins ?? [], salt, items });
  const started = parts.start();
  // Whoever asks hears of a failure; a gateway that nobody asks may fail unheard.
  started.catch(() => {});
  return {
    fetch: async (request) => fetchOver(await started, request),
    port: () => started,
    close: async () => {
      await started.catch(() => {});
      await parts.close();
    },
  };
}

interface PartOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly http2Cleartext: boolean;
  readonly plugins: readonly AnyPlugin[];
  /** Those among them that are not the product's. */
  readonly others: readonly AnyPlugin[];
  readonly salt: Uint8Array;
  readonly items: readonly SnapshotItem[];
}

function createParts(options: PartOptions) {
  const { clock, random, log, http2Cleartext, plugins, others, salt, items } = options;
  const directory = createDirectory(options);
  const mayDial = createDialPolicy({ protectedPorts: [], allow: [], deny: [] });
  const counters = new CounterTables({ rows: 1, random, nowMs: machineTime(clock)(), wallMs: clock.nowMs(), bytes: COUNTER_BYTES });
  const metrics = new WorkerMetrics(new InstanceMetrics(1, METRICS_OF_TESTS).handles, 0);
  const services = new WorkerPluginServices({
    clock,
    expiryClock: clock,
    random,
    log,
    counters: counters.handles,
    row: 0,
    workers: 1,
    metrics,
    mayDial,
    forbiddenFolders: [],
    httpsPort: 0,
    version: '0.0.0',
  });
  const pool = new UpstreamPool({ clock });
  const tls = new TlsItems({
    fallbackName: undefined,
    ticketKeys: new TicketKeys(random.bytes(32)),
    nowMs: () => clock.nowMs(),
    onProblem: () => {},
  });
  const runtime = new Runtime({
    addresses: new AddressBook(),
    targets: pool,
    slots: { serviceSlot: () => -1, nodeSlot: () => -1, requestsInFlight: () => 0 },
    health: undefined,
    mayDial,
    random,
    catalogue: catalogueOf(PLUGINS, others),
    tls,
    identities: new UpstreamIdentities({ items: tls, verifiesByDefault: false, onFailed: () => {}, onProblem: () => {} }),
    services,
    onDisposeFailed: (plugin, error) => log.error('a plugin failed to dispose of its state', { plugin }, error),
    yieldTurn: () => Promise.resolve(),
    monotonicMs: () => clock.monotonicMs(),
  });
  const headerRules = new ClientHeaderRules(
    plugins.flatMap(({ identityHeaders }) => (typeof identityHeaders === 'function' ? [] : identityHeaders)),
  );
  const pipeline = new Pipeline({
    routes: runtime,
    consumers: directory,
    headerRules,
    trustedAddresses: undefined,
    random,
    clock,
    log,
    enter: () => {},
    revision: () => 1,
    accessLog: undefined,
  });
  const server = new HttpServer({
    handler: pipeline,
    pool,
    http2Cleartext,
    serverHeader: 'Portcullis',
    ownResponseFields: [REQUEST_ID_HEADER],
    clock,
    onFailure: (error) => {
      // The pipeline has logged it already, with plugin and route.
      if (!(error instanceof FilterFailure)) log.error('a request or an accept failed', {}, error);
    },
  });
  directory.keySalt = salt;
  return {
    async start(): Promise<number> {
      runtime.commit(await runtime.prepare(items.flatMap((item) => changesOf(item, plugins))));
      headerRules.renew(runtime.identityHeaders.takeChanged() ?? []);
      return (await server.listen({ host: '127.0.0.1', port: 0 })).port;
    },
    async close(): Promise<void> {
      server.stopAccepting();
      server.destroyAll();
      runtime.close();
      pool.close();
      await services.close();
    },
  };
}

function createDirectory({ random, log, plugins, items }: PartOptions): CredentialDirectory {
  const authPlugins = plugins.filter(({ type }) => type === 'auth').map(({ name }) => name);
  const tables = new CredentialIndexWriter({ plugins: authPlugins, consumerPlugins: plugins, maxReaders: 1, random, log });
  for (const item of items) if (item.kind === 'consumer' || item.kind === 'credential') tables.applyPut(item);
  return new CredentialDirectory(new CredentialIndexReader(tables.handles, tables.registerReader()));
}

function changesOf(item: SnapshotItem, plugins: readonly AnyPlugin[]): readonly RuntimeChange[] {
  switch (item.kind) {
    case 'service':
      return [{ op: 'put-service', id: item.id, settings: readServiceSettings(item.id, item.value, plugins) }];
    case 'upstream':
      return [{ op: 'put-upstream', id: item.id, serviceId: item.service, settings: readUpstreamSettings(item.id, item.value) }];
    case 'route':
      return [{ op: 'put-route', id: item.id, number: 1, settings: readRouteSettings(item.id, item.value, plugins) }];
    case 'global_rule': {
      const configurations = Object.entries(item.value.plugins ?? {});
      return [{ op: 'put-global-rule', id: item.id, settings: readPlugins(new Map(configurations), plugins) }];
    }
    case 'plugin_metadata': {
      const schema = plugins.find(({ name }) => name === item.id)?.metadataSchema;
      const value = schema === undefined ? item.value : readPluginConfiguration(schema, item.value);
      return [{ op: 'put-plugin-metadata', plugin: item.id, value }];
    }
    case 'consumer': {
      const needs = consumerNeedsOf(item.value, plugins, () => undefined);
      return needs === undefined ? [] : [{ op: 'put-consumer-needs', id: item.id, needs }];
    }
    case 'ssl':
    case 'sni':
    case 'certificate':
    case 'ca_certificate':
      return [{ op: 'put-tls-item', kind: item.kind, id: item.id, settings: readTlsItem(item.kind, item.value) }];
    case 'credential':
    case 'secret_provider':
    // There are no connections to route: requests are handed over one by one.
    case 'stream_route':
      return [];
  }
}
