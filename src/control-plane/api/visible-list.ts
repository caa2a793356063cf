import { setImmediate } from 'node:timers/promises';
import type { ResourceKind } from '../../schema/index.ts';
import type { ResourceKey, ResourceSelection, SelectedResources, StoredResource, StoreReader } from '../../store/index.ts';
import type { ApiRequest } from '../http/index.ts';
import { type FactReader, rememberingReader } from './permission-facts.ts';
import { isFree, mayDoToResource } from './resource-permissions.ts';

/** So many resources are looked at in one step, and other requests run in between. */
const RESOURCES_AT_ONCE = 100;

/**
 * A list as its caller may see it: without what he may not read, and each resource with its secrets if he may write it. For a caller who may read
 * all of the kind it costs what the list itself costs; for others the whole list is looked at, since `total` must not tell of what is hidden.
 */
export class VisibleList {
  readonly #store: StoreReader;
  readonly #request: ApiRequest;
  readonly #list: { readonly groupId: string; readonly kind: string };
  readonly #facts: FactReader;
  readonly #readsAll: boolean;
  readonly #writesAll: boolean;

  constructor(store: StoreReader, request: ApiRequest, kind: ResourceKind, groupId: string) {
    this.#store = store;
    this.#request = request;
    this.#list = { groupId, kind: kind.name };
    this.#facts = rememberingReader(store);
    this.#readsAll = isFree(request, kind.name, 'read', groupId);
    this.#writesAll = isFree(request, kind.name, 'write', groupId);
  }

  /** What the selection leaves of what the caller may read. */
  async select(selection: ResourceSelection): Promise<SelectedResources> {
    if (this.#readsAll) return this.#store.selectResources(selection);
    const { part, ...whole } = selection;
    const { rows, places } = await this.#store.selectResources({ ...whole, withPlaces: true });
    const readable = await this.#readablePlaces(rows);
    const all = readable.map(({ row }) => row);
    const total = all.length;
    if (part === undefined || places === undefined) return { rows: all, total, next: undefined };
    const behind = part.kind === 'after' ? places.firstBehind(part.cursor) : 0;
    const start = part.kind === 'page' ? part.offset : readable.filter(({ index }) => index < behind).length;
    const end = start + part.limit;
    const last = end < total ? readable[end - 1] : undefined;
    return { rows: all.slice(start, end), total, next: last && places.cursorAt(last.index) };
  }

  /** Those of a list's rows whose resources may be read, and where they stand in it. */
  async #readablePlaces(rows: readonly number[]): Promise<readonly { readonly row: number; readonly index: number }[]> {
    const readable = new Set<number>();
    for (let start = 0; start < rows.length; start += RESOURCES_AT_ONCE) {
      for (const row of await this.#readableRows(rows.slice(start, start + RESOURCES_AT_ONCE))) readable.add(row);
      await setImmediate();
    }
    return rows.flatMap((row, index) => (readable.has(row) ? [{ row, index }] : []));
  }

  /** The resources of a selection that still exist and that the caller may still read, in the order of `rows`. */
  async resourcesAt(rows: readonly number[]): Promise<readonly StoredResource[]> {
    if (this.#readsAll && this.#writesAll) return this.#store.resourcesAt(this.#list, rows);
    const readable = await this.#readable(rows);
    const writable = new Set<string>();
    for (const { key, document } of readable) if (await this.#may('write', key, document)) writable.add(nameOf(key));
    if (writable.size === 0) return readable;
    const names = new Set(readable.map(({ key }) => nameOf(key)));
    const resources = await this.#store.resourcesAt(this.#list, rows, { secrets: (key) => writable.has(nameOf(key)) });
    return resources.filter(({ key }) => names.has(nameOf(key)));
  }

  /** Those of the rows whose resources may be read. */
  async #readableRows(rows: readonly number[]): Promise<readonly number[]> {
    const resources = await this.#store.resourcesAt(this.#list, rows, { secrets: 'omit' });
    // A resource that is gone meanwhile leaves no gap behind: then nobody knows whose row is whose, and halves are asked for.
    if (resources.length < rows.length) {
      if (rows.length === 1) return [];
      const half = rows.length >>> 1;
      return [...(await this.#readableRows(rows.slice(0, half))), ...(await this.#readableRows(rows.slice(half)))];
    }
    const readable: number[] = [];
    for (const [index, { key, document }] of resources.entries()) {
      const row = rows[index];
      if (row !== undefined && (await this.#may('read', key, document))) readable.push(row);
    }
    return readable;
  }

  async #readable(rows: readonly number[]): Promise<readonly StoredResource[]> {
    const resources = await this.#store.resourcesAt(this.#list, rows, { secrets: 'omit' });
    if (this.#readsAll) return resources;
    const readable: StoredResource[] = [];
    for (const resource of resources) if (await this.#may('read', resource.key, resource.document)) readable.push(resource);
    return readable;
  }

  #may(verb: 'read' | 'write', key: ResourceKey, document: StoredResource['document']): Promise<boolean> {
    return mayDoToResource(this.#facts, this.#request, verb, key, document);
  }
}

function nameOf({ parentId, id }: ResourceKey): string {
  return JSON.stringify([parentId, id]);
}
