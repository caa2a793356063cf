import type { ConfigurationApplier, SnapshotMeta } from '../../distribution/gateway-side.ts';
import type { JsonObject } from '../../lib/json.ts';
import { SerialQueue } from '../../lib/serial-queue.ts';
import type { Logger } from '../../observability/logger.ts';
import { PLUGINS } from '../../plugins/index.ts';
import type { SnapshotChange, SnapshotDelta, SnapshotItem, SnapshotItemName } from '../../schema/index.ts';
import type { HealthMonitor } from '../health/index.ts';
import { type CredentialPlugin, referencesOfItem } from '../secrets/index.ts';
import type { CredentialIndexWriter } from '../tables/index.ts';
import type { AgentMessage, RuntimeChange } from '../worker/worker-messages.ts';
import { namesBroughtBy, namesReplacedBy } from './change-names.ts';
import type { ConfigurationSet } from './configuration-set.ts';
import { consumerNeedsOf, mayHaveNeeds, type NeedyPlugin } from './consumer-needs.ts';
import { ItemReferences, type ReferencingItem, type SecretSource } from './item-references.ts';
import { monitoredUpstreams } from './monitored-upstreams.ts';
import type { NodeNames, UpstreamPlugin } from './node-names.ts';
import {
  COMPILED_KINDS,
  type CompiledItem,
  type CompiledKind,
  type ItemPlugin,
  isCompiled,
  isCompiledKind,
  keyOfItem,
  readDeletion,
  readItem,
} from './read-item.ts';
import { streamRouteKey } from './route-numbers.ts';
import { upstreamKey } from './upstream-key.ts';
import type { WorkerFleet } from './worker-fleet.ts';

/** What must be known of a plugin to put its configurations and credentials in force. */
export type ConfiguredPlugin = ItemPlugin & UpstreamPlugin & CredentialPlugin & NeedyPlugin;

type ConsumerItem = Extract<SnapshotItem, { readonly kind: 'consumer' }>;

/** What puts configuration in force. */
export interface GatewayConfigurationOptions {
  readonly set: ConfigurationSet;
  readonly names: NodeNames;
  /** Looks after the nodes of upstreams; undefined: nobody does. */
  readonly health?: Pick<HealthMonitor, 'update'> | undefined;
  readonly tables: CredentialIndexWriter;
  readonly fleet: Pick<WorkerFleet, 'apply' | 'broadcast'>;
  readonly yieldTurn: () => Promise<void>;
  readonly monotonicMs: () => number;
  /** Every plugin that this version has; those of the product when absent. */
  readonly plugins?: readonly ConfiguredPlugin[];
  /** What secret references stand for; without it they stay as they are, and credentials with any let nobody in. */
  readonly secrets?: { readonly values: SecretSource; readonly log: Logger };
  /** A revision is in force on all workers. */
  readonly onApplied: (revision: number) => void;
}

/** How long a revision waits for the addresses of names that it brings; what takes longer is served when it comes. */
const NAME_WAIT_MS = 500;
/** How long a revision waits for secrets that it refers to; what takes longer is put in force when it comes. */
const SECRET_WAIT_MS = 1000;
/** A snapshot waits longer: mostly nobody is served before it is there, and what it brings should be whole. */
const SNAPSHOT_SECRET_WAIT_MS = 5000;
/** Longest time that one step keeps the agent from other work. */
const SLICE_MS = 5;
/** Records that the tables look at in one step. */
const RECORDS_PER_STEP = 2000;

/**
 * Puts configuration in force. Consumers and credentials go straight to the tables that all workers share; services, routes, global rules
 * and plugin metadata are compiled by every worker and swapped by all or by none.
 *
 * Order within a change, so that nobody gets in who may not: first whatever is taken away from consumers and credentials; then all
 * workers compile; only when they could, new credentials are entered and the workers swap, in one step.
 *
 * What secret references stand for is put in their place here. When that changes, what holds them is read anew and put in force as a
 * change of its own, between two revisions.
 */
export class GatewayConfiguration implements ConfigurationApplier {
  readonly #options: GatewayConfigurationOptions;
  readonly #plugins: readonly ConfiguredPlugin[];
  readonly #references: ItemReferences;
  /** Changes that come from secrets, and those that come from the control plane, one at a time. */
  readonly #changes = new SerialQueue();
  /** References that stand for something else than what is in force. */
  #outdated = new Set<string>();
  #keySalt: Uint8Array | undefined;

  constructor(options: GatewayConfigurationOptions) {
    const { secrets } = options;
    this.#options = options;
    this.#plugins = options.plugins ?? PLUGINS;
    this.#references = new ItemReferences({ secrets: secrets?.values, plugins: this.#plugins, log: secrets?.log });
    secrets?.values.onChange((references) => this.#secretsChanged(references));
  }

  get keySalt(): Uint8Array | undefined {
    return this.#keySalt;
  }

  /**
   * Replaces everything. Credentials are entered as they stream by, since there can be millions; so where what workers compile
   * is then refused, those that are new stay, and those that are gone go only as far as a delta says so.
   */
  loadSnapshot(items: AsyncIterable<readonly SnapshotItem[]>, meta: SnapshotMeta): Promise<void> {
    return this.#changes.run(() => this.#loadSnapshot(items, meta));
  }

  applyDelta(delta: SnapshotDelta): Promise<void> {
    return this.#changes.run(() => this.#applyDelta(delta));
  }

  async #loadSnapshot(items: AsyncIterable<readonly SnapshotItem[]>, meta: SnapshotMeta): Promise<void> {
    const { tables } = this.#options;
    const compiled = new Map<string, CompiledItem>();
    const providers = new Map<string, JsonObject>();
    const referencing: ReferencingItem[] = [];
    const needy: ConsumerItem[] = [];
    const slices = this.#slices();
    this.#useSalt(meta.keySalt);
    tables.beginReplace();
    for await (const part of items) {
      for (const item of part) {
        const references = referencesOfItem(item);
        if (references.length > 0) referencing.push({ item, references });
        if (isCompiled(item)) compiled.set(keyOf(item.kind, keyOfItem(item)), item);
        else if (item.kind === 'secret_provider') providers.set(item.id, item.value);
        // Not before the workers know what they need.
        else if (item.kind === 'consumer' && mayHaveNeeds(item.value, this.#plugins)) needy.push(item);
        else tables.applyPut(this.#references.withKeys(item, meta.keySalt));
        await slices.pause();
      }
    }
    await this.#withProviders(this.#references.useProviders(providers), referencing, SNAPSHOT_SECRET_WAIT_MS, async () => {
      // Once more, now that it is known what they refer to.
      const later = new Set<SnapshotItem>(needy);
      for (const { item, references } of referencing) if (!isCompiled(item) && !later.has(item)) this.#enter(item, references);
      const changes = [...(await this.#difference(compiled)), ...this.#needsOfAll(needy)];
      await this.#applyRuntime(changes, () => {
        for (const item of needy) this.#enter(item, referencesOfItem(item));
      });
      for (const { item, references } of referencing) if (isCompiled(item)) this.#references.keep(item, references);
      this.#references.retainOnly(referencing);
    });
    while (!tables.finishReplace(RECORDS_PER_STEP)) await slices.pause();
    this.#options.onApplied(meta.revision);
  }

  async #applyDelta(delta: SnapshotDelta): Promise<void> {
    const { tables } = this.#options;
    const compiled: SnapshotChange[] = [];
    const providers: SnapshotChange[] = [];
    const puts: ReferencingItem[] = [];
    for (const change of delta.changes) {
      const { kind } = change.op === 'put' ? change.item : change.name;
      if (isCompiledKind(kind)) compiled.push(change);
      else if (kind === 'secret_provider') providers.push(change);
      else if (change.op === 'put') puts.push({ item: change.item, references: referencesOfItem(change.item) });
      else {
        tables.applyDelete(change.name);
        this.#references.forget(change.name);
      }
    }
    const compiledPuts = compiled.flatMap((change): ReferencingItem[] =>
      change.op === 'put' ? [{ item: change.item, references: referencesOfItem(change.item) }] : [],
    );
    await this.#withProviders(this.#references.changeProviders(providers), [...puts, ...compiledPuts], SECRET_WAIT_MS, async () => {
      // Only now, because it may refuse: what is taken away is taken away in any case.
      const changes = [...(await this.#read(compiled)), ...this.#changedNeeds(delta.changes)];
      await this.#applyRuntime(changes, () => {
        for (const { item, references } of puts) this.#enter(item, references);
      });
      for (const change of compiled) if (change.op === 'delete') this.#references.forget(change.name);
      for (const { item, references } of compiledPuts) this.#references.keep(item, references);
    });
    this.#options.onApplied(delta.toRevision);
  }

  /** Does `apply` when the secrets that these items refer to are known or have taken too long. Where it fails, providers are as before. */
  async #withProviders(undo: () => void, items: readonly ReferencingItem[], timeoutMs: number, apply: () => Promise<void>): Promise<void> {
    const references = items.flatMap((item) => item.references);
    try {
      await this.#references.learn(references, timeoutMs);
      await apply();
    } catch (error) {
      undo();
      throw error;
    } finally {
      this.#references.settle(references);
    }
  }

  /** Enters a consumer or a credential, with what is known of the secrets that it refers to. */
  #enter(item: SnapshotItem, references: readonly string[]): void {
    this.#options.tables.applyPut(this.#references.withKeys(item, this.#keySalt));
    this.#references.keep(item, references);
  }

  #secretsChanged(references: readonly string[]): void {
    const isPending = this.#outdated.size > 0;
    for (const reference of references) this.#outdated.add(reference);
    if (!isPending) void this.#changes.run(() => this.#readAnew());
  }

  /** Puts in force what is in force already, with its secrets as they are now. */
  async #readAnew(): Promise<void> {
    const items = this.#references.itemsUsing(this.#outdated);
    this.#outdated = new Set();
    const compiled = items.filter(isCompiled);
    try {
      for (const item of items) if (!isCompiled(item)) this.#enter(item, referencesOfItem(item));
      const needs = this.#changedNeeds(items.map((item) => ({ op: 'put', item })));
      await this.#applyRuntime([...(await this.#changesOf(compiled)), ...needs], () => {});
      for (const item of compiled) this.#references.keep(item);
    } catch (error) {
      this.#options.secrets?.log.error('a secret that has changed cannot be put in force; what was before stays', {}, error);
    }
  }

  /** @throws Error whose message says why the change is refused; then it is in force nowhere */
  async #applyRuntime(changes: readonly RuntimeChange[], enterCredentials: () => void): Promise<void> {
    const { names, fleet, set, health } = this.#options;
    if (changes.length === 0) {
      enterCredentials();
      return;
    }
    const wanted = await this.#namesOf(changes, (change) => namesBroughtBy(change, this.#plugins));
    names.retain(wanted);
    await names.resolved([...new Set(wanted)], NAME_WAIT_MS);
    fleet.broadcast({ kind: 'addresses', entries: names.known(new Set(wanted)) });
    const replaced = await this.#namesOf(changes, (change) => namesReplacedBy(change, set, this.#plugins));
    try {
      const outcome = await fleet.apply(changes, () => {
        enterCredentials();
        set.apply(changes);
        health?.update(monitoredUpstreams(changes));
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
    return this.#collect(changes, (change) => {
      if (change.op === 'put') return isCompiled(change.item) ? this.#readItem(change.item) : undefined;
      return isCompiledKind(change.name.kind) ? readDeletion(change.name.kind, keyOfName(change.name)) : undefined;
    });
  }

  /**
   * What leads from what is in force to the items of a snapshot; what is equal costs the workers nothing.
   *
   * @throws CompileError for what this version cannot serve
   */
  async #difference(items: ReadonlyMap<string, CompiledItem>): Promise<readonly RuntimeChange[]> {
    const { set } = this.#options;
    const gone = COMPILED_KINDS.flatMap((kind) =>
      [...set.idsOf(kind)].filter((id) => !items.has(keyOf(kind, id))).map((id) => readDeletion(kind, id)),
    );
    return [...gone, ...(await this.#changesOf(items.values()))];
  }

  /** What workers are told of these items; nothing of those that are in force already. @throws CompileError */
  #changesOf(items: Iterable<CompiledItem>): Promise<readonly RuntimeChange[]> {
    return this.#collect(items, (item) => {
      const change = this.#readItem(item);
      return change === undefined || this.#options.set.holds(change) ? undefined : change;
    });
  }

  #readItem(item: CompiledItem): RuntimeChange | undefined {
    return readItem(item, { numbers: this.#options.set.numbers, plugins: this.#plugins, lookUp: this.#references.lookUp });
  }

  /** Reads one after the other, in slices. Where one throws, routes that were new keep no number. */
  async #collect<Source>(
    sources: Iterable<Source>,
    read: (source: Source) => RuntimeChange | undefined,
  ): Promise<readonly RuntimeChange[]> {
    const slices = this.#slices();
    const changes: RuntimeChange[] = [];
    try {
      for (const source of sources) {
        const change = read(source);
        if (change !== undefined) changes.push(change);
        await slices.pause();
      }
      return changes;
    } catch (error) {
      this.#forgetNumbers(changes);
      throw error;
    }
  }

  /** What consumers need after these changes, as far as it is another than before. */
  #changedNeeds(changes: readonly SnapshotChange[]): readonly RuntimeChange[] {
    const needs = new Map<string, RuntimeChange>();
    for (const change of changes) {
      if (change.op === 'put' && change.item.kind === 'consumer') needs.set(change.item.id, this.#needsOf(change.item));
      if (change.op === 'delete' && change.name.kind === 'consumer')
        needs.set(change.name.id, { op: 'delete-consumer-needs', id: change.name.id });
    }
    return [...needs.values()].filter((change) => !this.#options.set.holds(change));
  }

  /** The same where these are all consumers that may need anything. */
  #needsOfAll(consumers: readonly ConsumerItem[]): readonly RuntimeChange[] {
    const present = new Set(consumers.map(({ id }) => id));
    const gone = [...this.#options.set.consumerNeeds.keys()].filter((id) => !present.has(id));
    const needs = consumers.map((item) => this.#needsOf(item)).filter((change) => !this.#options.set.holds(change));
    return [...gone.map((id) => ({ op: 'delete-consumer-needs', id }) as const), ...needs];
  }

  #needsOf({ id, value }: ConsumerItem): RuntimeChange {
    const needs = consumerNeedsOf(value, this.#plugins, this.#references.lookUp);
    return needs === undefined ? { op: 'delete-consumer-needs', id } : { op: 'put-consumer-needs', id, needs };
  }

  /** The node names that `namesIn` tells, with repetitions, as they are counted. */
  async #namesOf(changes: readonly RuntimeChange[], namesIn: (change: RuntimeChange) => readonly string[]): Promise<readonly string[]> {
    const slices = this.#slices();
    const names: string[] = [];
    for (const change of changes) {
      names.push(...namesIn(change));
      await slices.pause();
    }
    return names;
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
    for (const change of changes) {
      if (change.op === 'put-route' && !set.routes.has(change.id)) set.numbers.forget(change.id);
      if (change.op === 'put-stream-route' && !set.streamRoutes.has(change.id)) set.numbers.forget(streamRouteKey(change.id));
    }
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

function keyOfName({ kind, parentId, id }: SnapshotItemName): string {
  return kind === 'upstream' ? upstreamKey(parentId, id) : id;
}

function keyOf(kind: CompiledKind, id: string): string {
  return `${kind} ${id}`;
}
