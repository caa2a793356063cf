import type { Logger } from '../../observability/logger.ts';
import type { ValueOfReference } from '../../plugin-kit/index.ts';
import { nameOfSnapshotItem, type SnapshotChange, type SnapshotItem, type SnapshotItemName } from '../../schema/snapshot.ts';
import { type CredentialPlugin, referencesOfItem, resolveKeys, type SecretProviders, type SecretValues } from '../secrets/index.ts';

/** What is needed of secrets. */
export type SecretSource = Pick<SecretValues, 'providers' | 'useProviders' | 'retain' | 'release' | 'valueOf' | 'resolved' | 'onChange'>;

export interface ItemReferencesOptions {
  /** Without it no reference ever resolves. */
  readonly secrets: SecretSource | undefined;
  readonly plugins: readonly CredentialPlugin[];
  readonly log: Logger | undefined;
}

/** An item and the references in it. */
export interface ReferencingItem {
  readonly item: SnapshotItem;
  readonly references: readonly string[];
}

/** Which items in force hold secret references, so that they can be read anew when a secret changes; what they name is retained. */
export class ItemReferences {
  readonly #options: ItemReferencesOptions;
  readonly #items = new Map<string, ReferencingItem>();
  /** Reference → keys of items. */
  readonly #users = new Map<string, Set<string>>();

  constructor(options: ItemReferencesOptions) {
    this.#options = options;
  }

  readonly lookUp: ValueOfReference = (reference) => this.#options.secrets?.valueOf(reference);

  /** Puts changes of secret providers in force and gives back how to undo it. */
  changeProviders(changes: readonly SnapshotChange[]): () => void {
    if (changes.length === 0) return () => {};
    const providers = new Map(this.#options.secrets?.providers);
    for (const change of changes) {
      if (change.op === 'put') providers.set(change.item.id, change.item.value);
      else providers.delete(change.name.id);
    }
    return this.useProviders(providers);
  }

  /** Replaces all secret providers and gives back how to undo it. */
  useProviders(providers: SecretProviders): () => void {
    const { secrets } = this.#options;
    const before = secrets?.providers ?? new Map();
    secrets?.useProviders(providers);
    return () => secrets?.useProviders(before);
  }

  /** Finds out what references stand for, as far as that takes no longer. What no item that is kept holds must be given to `settle`. */
  async learn(references: readonly string[], timeoutMs: number): Promise<void> {
    if (references.length === 0) return;
    this.#options.secrets?.retain(references);
    await this.#options.secrets?.resolved(references, timeoutMs);
  }

  /** Lets go of references that turned out to be held by nothing in force. */
  settle(references: readonly string[]): void {
    this.#options.secrets?.release(references.filter((reference) => !this.#users.has(reference)));
  }

  /** A consumer or credential with the keys that its references stand for at present. */
  withKeys(item: SnapshotItem, keySalt: Uint8Array | undefined): SnapshotItem {
    if ((item.kind !== 'consumer' && item.kind !== 'credential') || item.references === undefined || keySalt === undefined) return item;
    const { plugins } = this.#options;
    const { references, ...rest } = item;
    return { ...rest, keys: [...item.keys, ...resolveKeys(references, { plugins, keySalt, lookUp: this.lookUp })] };
  }

  /** The item is in force, with what is known of its references; of the others the log is told. */
  keep(item: SnapshotItem, references = referencesOfItem(item)): void {
    const name = nameOfSnapshotItem(item);
    const key = keyOf(name);
    const before = this.#items.get(key);
    if (references.length === 0) this.#items.delete(key);
    else this.#items.set(key, { item, references });
    for (const reference of references) this.#addUser(reference, key);
    const kept = new Set(references);
    this.#dropUser(
      (before?.references ?? []).filter((reference) => !kept.has(reference)),
      key,
    );
    for (const reference of references) {
      if (this.lookUp(reference) !== undefined) continue;
      this.#options.log?.error('a secret reference does not resolve', { kind: name.kind, consumer: name.parentId, id: name.id, reference });
    }
  }

  /** The item is not in force any more. */
  forget(name: SnapshotItemName): void {
    const key = keyOf(name);
    const references = this.#items.get(key)?.references;
    if (references === undefined) return;
    this.#items.delete(key);
    this.#dropUser(references, key);
  }

  /** Forgets all items but these. */
  retainOnly(items: readonly ReferencingItem[]): void {
    const kept = new Set(items.map(({ item }) => keyOf(nameOfSnapshotItem(item))));
    for (const [key, { item }] of [...this.#items]) if (!kept.has(key)) this.forget(nameOfSnapshotItem(item));
  }

  /** The items in force that hold any of these. */
  itemsUsing(references: Iterable<string>): readonly SnapshotItem[] {
    const keys = new Set([...references].flatMap((reference) => [...(this.#users.get(reference) ?? [])]));
    return [...keys].flatMap((key) => this.#items.get(key)?.item ?? []);
  }

  #addUser(reference: string, key: string): void {
    const users = this.#users.get(reference) ?? new Set();
    if (users.size === 0) this.#options.secrets?.retain([reference]);
    this.#users.set(reference, users.add(key));
  }

  #dropUser(references: readonly string[], key: string): void {
    for (const reference of references) {
      const users = this.#users.get(reference);
      users?.delete(key);
      if (users?.size !== 0) continue;
      this.#users.delete(reference);
      this.#options.secrets?.release([reference]);
    }
  }
}

function keyOf({ kind, parentId, id }: SnapshotItemName): string {
  return JSON.stringify([kind, parentId, id]);
}
