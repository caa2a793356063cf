import type { ResourceKey } from '../store.ts';

/** The resources of one transaction whose unique values were let go of, and that have to be written or deleted before it ends. */
export class ReleasedValues {
  readonly #keys = new Set<string>();

  add(key: ResourceKey): void {
    this.#keys.add(nameOf(key));
  }

  /** The resource is written or gone: what it holds now is what it is to hold. */
  settle(key: ResourceKey): void {
    if (this.#keys.size > 0) this.#keys.delete(nameOf(key));
  }

  /** @throws Error when a resource would be left without the values that it holds by its document */
  assertSettled(): void {
    if (this.#keys.size > 0) throw new Error('the values of a resource were released, and it was not written afterwards');
  }
}

function nameOf({ groupId, kind, parentId, id }: ResourceKey): string {
  return JSON.stringify([groupId, kind, parentId, id]);
}
