import { isDeepStrictEqual } from 'node:util';
import type { ConfigurationApplier, SnapshotMeta } from '../../distribution/gateway-side.ts';
import type { JsonObject } from '../../lib/json.ts';
import { PLUGINS } from '../../plugins/index.ts';
import type { SnapshotChange, SnapshotDelta, SnapshotItem } from '../../schema/index.ts';
import { readRouteSettings, readServiceSettings } from '../runtime/read-settings.ts';
import type { RouteSettings, ServiceSettings } from '../runtime/settings.ts';
import type { CredentialIndexWriter } from '../tables/index.ts';
import type { AgentMessage, RuntimeChange } from '../worker/worker-messages.ts';
import type { ConfigurationSet } from './configuration-set.ts';
import { type NodeNames, nodeNamesOf } from './node-names.ts';
import type { WorkerFleet } from './worker-fleet.ts';

/** What puts configuration in force. */
export interface GatewayConfigurationOptions {
  readonly set: ConfigurationSet;
  readonly names: NodeNames;
  readonly tables: CredentialIndexWriter;
  readonly fleet: Pick<WorkerFleet, 'apply' | 'broadcast'>;
  readonly yieldTurn: () => Promise<void>;
  readonly monotonicMs: () => number;
  /** A revision is in force on all workers. */
  readonly onApplied: (revision: number) => void;
}

/** How long a revision waits for the addresses of names that it brings; what takes longer is served when it comes. */
const NAME_WAIT_MS = 500;
/** Longest time that one step keeps the agent from other work. */
const SLICE_MS = 5;
/** Records that the tables look at in one step. */
const RECORDS_PER_STEP = 2000;

/**
 * Puts configuration in force. Consumers and credentials go straight to the tables that all workers share; services and routes are
 * compiled by every worker and swapped by all or by none.
 *
 * Order within a change, so that nobody gets in who may not: first whatever is taken away from consumers and credentials; then all
 * workers compile; only when they could, new credentials are entered and the workers swap, in one step.
 */
export class GatewayConfiguration implements ConfigurationApplier {
  readonly #options: GatewayConfigurationOptions;
  #keySalt: Uint8Array | undefined;

  constructor(options: GatewayConfigurationOptions) {
    this.#options = options;
  }

  get keySalt(): Uint8Array | undefined {
    return this.#keySalt;
  }

  /**
   * Replaces everything. Credentials are entered as they stream by, since there can be millions; so where the services and routes
   * are then refused, those that are new stay, and those that are gone go only as far as a delta says so.
   */
  async loadSnapshot(items: AsyncIterable<readonly SnapshotItem[]>, meta: SnapshotMeta): Promise<void> {
    const { tables } = this.#options;
    const services = new Map<string, JsonObject>();
    const routes = new Map<string, JsonObject>();
    const slices = this.#slices();
    this.#useSalt(meta.keySalt);
    tables.beginReplace();
    for await (const part of items) {
      for (const item of part) {
        if (item.kind === 'service') services.set(item.id, item.value);
        else if (item.kind === 'route') routes.set(item.id, item.value);
        else tables.applyPut(item);
        await slices.pause();
      }
    }
    await this.#applyRuntime(await this.#difference(services, routes), () => {});
    while (!tables.finishReplace(RECORDS_PER_STEP)) await slices.pause();
    this.#options.onApplied(meta.revision);
  }

  async applyDelta(delta: SnapshotDelta): Promise<void> {
    const { tables } = this.#options;
    const compiled: SnapshotChange[] = [];
    const puts: SnapshotItem[] = [];
    for (const change of delta.changes) {
      const { kind } = change.op === 'put' ? change.item : change.name;
      if (kind === 'service' || kind === 'route') compiled.push(change);
      else if (change.op === 'put') puts.push(change.item);
      else tables.applyDelete(change.name);
    }
    // Only now, because it may refuse: what is taken away is taken away in any case.
    await this.#applyRuntime(await this.#read(compiled), () => {
      for (const item of puts) tables.applyPut(item);
    });
    this.#options.onApplied(delta.toRevision);
  }

  /** @throws Error whose message says why the change is refused; then it is in force nowhere */
  async #applyRuntime(changes: readonly RuntimeChange[], enterCredentials: () => void): Promise<void> {
    const { names, fleet, set } = this.#options;
    if (changes.length === 0) {
      enterCredentials();
      return;
    }
    const wanted = await this.#namesOf(changes, (change) => (change.op === 'put-service' ? change.settings : undefined));
    names.retain(wanted);
    await names.resolved([...new Set(wanted)], NAME_WAIT_MS);
    fleet.broadcast({ kind: 'addresses', entries: names.known(new Set(wanted)) });
    const replaced = await this.#namesOf(changes, (change) => this.#replacedService(change));
    try {
      const outcome = await fleet.apply(changes, () => {
        enterCredentials();
        set.apply(changes);
      });
      if (outcome.kind === 'refused') throw new Error(outcome.message);
    } catch (error) {
      this.#releaseNames(wanted);
      this.#forgetNumbers(changes);
      throw error;
    }
    this.#releaseNames(replaced);
  }

  #useSalt(keySalt: Uint8Array): void {
    if (this.#keySalt !== undefined && Buffer.compare(this.#keySalt, keySalt) === 0) return;
    this.#keySalt = keySalt;
    this.#options.fleet.broadcast({ kind: 'salt', keySalt });
  }

  /** What workers are told of these changes. @throws CompileError for what this version cannot serve */
  async #read(changes: readonly SnapshotChange[]): Promise<readonly RuntimeChange[]> {
    const slices = this.#slices();
    const read: RuntimeChange[] = [];
    try {
      for (const change of changes) {
        read.push(...this.#runtimeChangesOf(change));
        await slices.pause();
      }
      return read;
    } catch (error) {
      this.#forgetNumbers(read);
      throw error;
    }
  }

  #runtimeChangesOf(change: SnapshotChange): readonly RuntimeChange[] {
    const { kind, id } = change.op === 'put' ? change.item : change.name;
    if (kind !== 'service' && kind !== 'route') return [];
    if (change.op === 'delete') return [{ op: `delete-${kind}`, id }];
    const { value } = change.item;
    if (kind === 'service') return [{ op: 'put-service', id, settings: readServiceSettings(id, value, PLUGINS) }];
    return [this.#putRoute(id, readRouteSettings(id, value, PLUGINS))];
  }

  #putRoute(id: string, settings: RouteSettings): RuntimeChange {
    return { op: 'put-route', id, number: this.#options.set.numbers.numberOf(id), settings };
  }

  /**
   * What leads from the services and routes in force to those of a snapshot; what is equal costs the workers nothing.
   *
   * @throws CompileError for what this version cannot serve
   */
  async #difference(services: ReadonlyMap<string, JsonObject>, routes: ReadonlyMap<string, JsonObject>): Promise<readonly RuntimeChange[]> {
    const { set } = this.#options;
    const slices = this.#slices();
    const changes: RuntimeChange[] = [];
    try {
      for (const id of set.services.keys()) if (!services.has(id)) changes.push({ op: 'delete-service', id });
      for (const [id, value] of services) {
        const settings = readServiceSettings(id, value, PLUGINS);
        if (!isDeepStrictEqual(set.services.get(id), settings)) changes.push({ op: 'put-service', id, settings });
        await slices.pause();
      }
      for (const id of set.routes.keys()) if (!routes.has(id)) changes.push({ op: 'delete-route', id });
      for (const [id, value] of routes) {
        const settings = readRouteSettings(id, value, PLUGINS);
        if (!isDeepStrictEqual(set.routes.get(id), settings)) changes.push(this.#putRoute(id, settings));
        await slices.pause();
      }
      return changes;
    } catch (error) {
      this.#forgetNumbers(changes);
      throw error;
    }
  }

  /** The node names of the services that `serviceOf` tells, with repetitions, as they are counted. */
  async #namesOf(
    changes: readonly RuntimeChange[],
    serviceOf: (change: RuntimeChange) => ServiceSettings | undefined,
  ): Promise<readonly string[]> {
    const slices = this.#slices();
    const names: string[] = [];
    for (const change of changes) {
      const service = serviceOf(change);
      if (service !== undefined) names.push(...nodeNamesOf(service));
      await slices.pause();
    }
    return names;
  }

  #replacedService(change: RuntimeChange): ServiceSettings | undefined {
    const touchesService = change.op === 'put-service' || change.op === 'delete-service';
    return touchesService ? this.#options.set.services.get(change.id) : undefined;
  }

  #releaseNames(released: readonly string[]): void {
    const { names, fleet } = this.#options;
    names.release(released);
    const forgotten = [...new Set(released)].filter((name) => !names.isUsed(name));
    if (forgotten.length === 0) return;
    const message: AgentMessage = { kind: 'addresses', entries: forgotten.map((name) => ({ name, addresses: [] })) };
    fleet.broadcast(message);
  }

  /** Routes that were refused and are not in force keep no number. */
  #forgetNumbers(changes: readonly RuntimeChange[]): void {
    const { set } = this.#options;
    for (const change of changes) if (change.op === 'put-route' && !set.routes.has(change.id)) set.numbers.forget(change.id);
  }

  #slices(): { pause(): Promise<void> } {
    const { monotonicMs, yieldTurn } = this.#options;
    let startedAtMs = monotonicMs();
    return {
      pause: async () => {
        if (monotonicMs() - startedAtMs < SLICE_MS) return;
        await yieldTurn();
        startedAtMs = monotonicMs();
      },
    };
  }
}
