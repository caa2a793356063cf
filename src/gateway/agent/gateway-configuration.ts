import { isDeepStrictEqual } from 'node:util';
import type { ConfigurationApplier, SnapshotMeta } from '../../distribution/gateway-side.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { SnapshotChange, SnapshotDelta, SnapshotItem } from '../../schema/index.ts';
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
    const { tables, set } = this.#options;
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
    const changes = [
      ...(await this.#difference('service', set.services, services)),
      ...(await this.#difference('route', set.routes, routes)),
    ];
    await this.#applyRuntime(changes, () => {});
    while (!tables.finishReplace(RECORDS_PER_STEP)) await slices.pause();
    this.#options.onApplied(meta.revision);
  }

  async applyDelta(delta: SnapshotDelta): Promise<void> {
    const { tables } = this.#options;
    const runtimeChanges: RuntimeChange[] = [];
    const puts: SnapshotItem[] = [];
    for (const change of delta.changes) {
      const runtimeChange = this.#runtimeChangeOf(change);
      if (runtimeChange !== undefined) runtimeChanges.push(runtimeChange);
      else if (change.op === 'put') puts.push(change.item);
      else tables.applyDelete(change.name);
    }
    await this.#applyRuntime(runtimeChanges, () => {
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
    const wanted = await this.#wantedNames(changes);
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

  /** The names that new services need. @throws PortcullisError for a service that this version cannot serve */
  async #wantedNames(changes: readonly RuntimeChange[]): Promise<readonly string[]> {
    try {
      return await this.#namesOf(changes, (change) => (change.op === 'put-service' ? change.value : undefined));
    } catch (error) {
      this.#forgetNumbers(changes);
      throw error;
    }
  }

  #useSalt(keySalt: Uint8Array): void {
    if (this.#keySalt !== undefined && Buffer.compare(this.#keySalt, keySalt) === 0) return;
    this.#keySalt = keySalt;
    this.#options.fleet.broadcast({ kind: 'salt', keySalt });
  }

  #runtimeChangeOf(change: SnapshotChange): RuntimeChange | undefined {
    if (change.op === 'delete') {
      const { kind, id } = change.name;
      if (kind === 'service') return { op: 'delete-service', id };
      return kind === 'route' ? { op: 'delete-route', id } : undefined;
    }
    const { item } = change;
    if (item.kind === 'service') return { op: 'put-service', id: item.id, value: item.value };
    return item.kind === 'route' ? this.#putRoute(item.id, item.value) : undefined;
  }

  #putRoute(id: string, value: JsonObject): RuntimeChange {
    return { op: 'put-route', id, number: this.#options.set.numbers.numberOf(id), value };
  }

  /** What leads from the resources in force to those of a snapshot; what is equal costs the workers nothing. */
  async #difference(
    kind: 'service' | 'route',
    inForce: ReadonlyMap<string, JsonObject>,
    wanted: ReadonlyMap<string, JsonObject>,
  ): Promise<readonly RuntimeChange[]> {
    const changes: RuntimeChange[] = [];
    const slices = this.#slices();
    for (const id of inForce.keys()) {
      if (!wanted.has(id)) changes.push(kind === 'service' ? { op: 'delete-service', id } : { op: 'delete-route', id });
    }
    for (const [id, value] of wanted) {
      await slices.pause();
      if (isDeepStrictEqual(inForce.get(id), value)) continue;
      changes.push(kind === 'service' ? { op: 'put-service', id, value } : this.#putRoute(id, value));
    }
    return changes;
  }

  /** The node names of the services that `serviceOf` tells, with repetitions, as they are counted. */
  async #namesOf(
    changes: readonly RuntimeChange[],
    serviceOf: (change: RuntimeChange) => JsonObject | undefined,
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

  #replacedService(change: RuntimeChange): JsonObject | undefined {
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
