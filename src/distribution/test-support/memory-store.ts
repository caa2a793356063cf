import { randomUUID } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type {
  Author,
  GatewayGroup,
  ReadOptions,
  ResourceChange,
  ResourceKey,
  StoredResource,
  StoreReader,
  StoreTransaction,
} from '../../store/store.ts';
import type { StoreStanding } from '../../store/store-standing.ts';
import type { HistoryStore } from '../open-history.ts';

/** The part of a store that a publisher reads, for one group, in memory. Each write is a revision. */
export class MemoryStore implements Pick<StoreReader, 'getGroup' | 'pageOfResources' | 'changesSince'>, HistoryStore {
  readonly groupId: string;
  revision = 0;
  /** Changes up to this revision are forgotten. */
  historyStart = 0;
  /** When set, every read fails with it. */
  failure: Error | undefined;
  /** Called before each page, so that a test can write in between. */
  onPage: () => void = () => undefined;
  changesSinceCalls = 0;
  readonly #resources = new Map<string, StoredResource>();
  readonly #changes = new Map<string, { readonly revision: number; readonly change: ResourceChange }>();
  readonly #settings = new Map<string, Buffer>();
  /** One for each write, which no other write has. */
  readonly #marks: string[] = [];
  readonly #secretPointers = new Map<string, readonly string[]>();

  #sortedKeys: readonly string[] | undefined;

  constructor(groupId = 'default') {
    this.groupId = groupId;
  }

  /** What a backup made now would bring back. */
  copy(): MemoryStore {
    const copy = new MemoryStore(this.groupId);
    copy.become(this);
    return copy;
  }

  /** From now on it holds what the other one does, as a database that fails over. */
  become(other: MemoryStore): void {
    this.revision = other.revision;
    this.historyStart = other.historyStart;
    this.#sortedKeys = undefined;
    this.#marks.splice(0, Infinity, ...other.#marks);
    for (const kept of [this.#resources, this.#changes, this.#settings]) kept.clear();
    for (const [key, resource] of other.#resources) this.#resources.set(key, resource);
    for (const [key, change] of other.#changes) this.#changes.set(key, change);
    for (const [name, value] of other.#settings) this.#settings.set(name, value);
  }

  async transaction<Result>(
    _author: Author,
    work: (transaction: Pick<StoreTransaction, 'getSetting' | 'putSetting' | 'listGroups' | 'leapRevisions'>) => Promise<Result>,
  ): Promise<Result> {
    return work({
      getSetting: async (name) => this.#settings.get(name),
      putSetting: async (name, value) => void this.#settings.set(name, value),
      listGroups: async () => [this.#group()],
      leapRevisions: async (by) => {
        this.revision += by;
      },
    });
  }

  /** Writes a resource without parent and secrets. @returns the new revision */
  put(kind: 'service' | 'route' | 'global_rule' | 'plugin_metadata', id: string, document: JsonObject = {}): number {
    return this.#put({ groupId: this.groupId, kind, parentId: '', id }, document, []);
  }

  /** Writes a credential with one key per digest byte. @returns the new revision */
  putCredential(consumer: string, id: string, digestBytes: readonly number[]): number {
    const unique = digestBytes.map((byte) => ({ space: 'key-auth', digest: Buffer.alloc(32, byte) }));
    return this.#put({ groupId: this.groupId, kind: 'credential', parentId: consumer, id }, { plugins: { 'key-auth': {} } }, unique);
  }

  delete(kind: string, id: string, parentId = ''): number {
    this.#raise();
    const key = { groupId: this.groupId, kind, parentId, id };
    this.#resources.delete(JSON.stringify(key));
    this.#sortedKeys = undefined;
    this.#note(key, { op: 'delete', key, revision: this.revision });
    return this.revision;
  }

  async getGroup(groupId: string): Promise<GatewayGroup | undefined> {
    this.#failIfAsked();
    if (groupId !== this.groupId) return undefined;
    return this.#group();
  }

  /** Writes a resource with secrets, each given as the JSON pointer `/plugins/<plugin>/<field>`. @returns the new revision */
  putWithSecrets(resource: Pick<StoredResource, 'key' | 'document' | 'unique'>, secretPointers: readonly string[]): number {
    this.#secretPointers.set(JSON.stringify(resource.key), secretPointers);
    return this.#put(resource.key, resource.document, resource.unique);
  }

  async pageOfResources(
    _groupId: string,
    after: ResourceKey | undefined,
    limit: number,
    options: ReadOptions = {},
  ): Promise<readonly StoredResource[]> {
    this.onPage();
    this.#failIfAsked();
    this.#sortedKeys ??= [...this.#resources.keys()].sort();
    const start = after === undefined ? 0 : firstAfter(this.#sortedKeys, JSON.stringify(after));
    return this.#sortedKeys.slice(start, start + limit).flatMap((key) => this.#read(this.#resources.get(key), options) ?? []);
  }

  async changesSince(
    _groupId: string,
    revision: number,
    options: Parameters<StoreReader['changesSince']>[2] = {},
  ): ReturnType<StoreReader['changesSince']> {
    this.changesSinceCalls++;
    this.#failIfAsked();
    if (revision < this.historyStart) return undefined;
    const changes = [...this.#changes.values()].filter((entry) => entry.revision > revision).sort((a, b) => a.revision - b.revision);
    const standing = this.#standing(options.known);
    return { revision: this.revision, changes: changes.map(({ change }) => this.#readChange(change, options)), standing };
  }

  async readStanding(known: string | undefined): Promise<StoreStanding> {
    this.#failIfAsked();
    return this.#standing(known);
  }

  #standing(known: string | undefined): StoreStanding {
    return { mark: this.#marks.at(-1), lacksKnown: known !== undefined && !this.#marks.includes(known) };
  }

  #readChange(change: ResourceChange, options: ReadOptions): ResourceChange {
    if (change.op === 'delete') return change;
    return { op: 'put', resource: this.#read(change.resource, options) ?? change.resource };
  }

  #read(resource: StoredResource | undefined, { secrets = 'omit' }: ReadOptions): StoredResource | undefined {
    if (resource === undefined) return undefined;
    const pointers = this.#secretPointers.get(JSON.stringify(resource.key)) ?? [];
    const document = structuredClone(resource.document) as { readonly plugins?: Record<string, Record<string, JsonValue>> } & JsonObject;
    for (const pointer of pointers) {
      if (typeof secrets === 'function' ? secrets(resource.key, pointer) : secrets === 'include') continue;
      const [, , plugin = '', field = ''] = pointer.split('/');
      delete document.plugins?.[plugin]?.[field];
    }
    return { ...resource, document };
  }

  #group(): GatewayGroup {
    return { id: this.groupId, name: this.groupId, description: '', revision: this.revision, createdAt: 0, updatedAt: 0 };
  }

  #put(key: ResourceKey, document: JsonObject, unique: StoredResource['unique']): number {
    this.#raise();
    const resource: StoredResource = { key, document, revision: this.revision, createdAt: 0, updatedAt: 0, unique };
    this.#resources.set(JSON.stringify(key), resource);
    this.#sortedKeys = undefined;
    this.#note(key, { op: 'put', resource });
    return this.revision;
  }

  #raise(): void {
    this.revision++;
    this.#marks.push(`${this.#marks.length + 1}:${randomUUID()}`);
  }

  #note(key: ResourceKey, change: ResourceChange): void {
    this.#changes.set(JSON.stringify(key), { revision: this.revision, change });
  }

  #failIfAsked(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

function firstAfter(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') > text) high = middle;
    else low = middle + 1;
  }
  return low;
}
