import type { Clock } from '../../lib/clock.ts';
import { nameOfSnapshotItem } from '../../schema/snapshot.ts';
import type { ResourceChange, ResourceKey, StoreReader } from '../../store/store.ts';
import { toSnapshotChange, toSnapshotItem } from '../build-snapshot.ts';
import { nameKey, nameKeyOfChange } from '../name-key.ts';
import type { SnapshotPlugins } from '../snapshot-plugins.ts';
import { SlowPace } from './slow-pace.ts';
import type { StateHash } from './state-hash.ts';
import { StateMarks } from './state-marks.ts';

/** Where the state of a group is read. */
export interface StoredStateOptions {
  readonly groupId: string;
  readonly store: Pick<StoreReader, 'getGroup' | 'pageOfResources' | 'changesSince'>;
  readonly plugins: SnapshotPlugins;
  readonly clock: Pick<Clock, 'monotonicMs' | 'schedule'>;
}

const PAGE_ROWS = 256;
/** Reading a whole group takes a fifth of a processor. */
const REST_FACTOR = 4;
/** A change that the history of changes has lost is in no delta and in no hash that follows them: so all is read anew this often, when anything has changed. */
const READ_ANEW_AFTER_MS = 3_600_000;
/** Changes are read at once, pages are not. */
const MAX_FOLLOWED_REVISIONS = 20_000;

interface Known {
  readonly marks: StateMarks;
  readonly readAtMs: number;
  readonly readRevision: number;
  revision: number;
}

/** What all items of a group come to, as its gateways should hold them: read once as a whole, then by what has changed. */
export class StoredState {
  readonly #options: StoredStateOptions;
  #known: Known | undefined;

  constructor(options: StoredStateOptions) {
    this.#options = options;
  }

  /** It has been read, so that following it costs little. */
  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  /** At the newest revision; undefined when the group is gone, or when changes cannot be followed: then all is read anew the next time. @throws what the store throws */
  async current(): Promise<{ readonly revision: number; readonly kinds: StateHash } | undefined> {
    const { store, groupId } = this.#options;
    const group = await store.getGroup(groupId);
    if (group === undefined) return undefined;
    if (this.#known === undefined || this.#isOutdated(this.#known, group.revision)) this.#known = await this.#readAll(group.revision);
    if (!(await this.#follow(this.#known))) this.#known = undefined;
    return this.#known && { revision: this.#known.revision, kinds: this.#known.marks.hash() };
  }

  /** Gives the memory back. */
  forget(): void {
    this.#known = undefined;
  }

  #isOutdated({ readAtMs, readRevision, revision }: Known, newest: number): boolean {
    // A store that was set back begins anew.
    if (newest < revision || newest - revision > MAX_FOLLOWED_REVISIONS) return true;
    return newest !== readRevision && this.#options.clock.monotonicMs() - readAtMs >= READ_ANEW_AFTER_MS;
  }

  /** What is newer than `revision` by then is put right by following. */
  async #readAll(revision: number): Promise<Known> {
    const { store, groupId, plugins, clock } = this.#options;
    const pace = new SlowPace(clock, REST_FACTOR);
    const marks = new StateMarks();
    let after: ResourceKey | undefined;
    for (;;) {
      const page = await store.pageOfResources(groupId, after, PAGE_ROWS, { secrets: plugins.opensSecret });
      for (const resource of page) {
        const item = toSnapshotItem(resource, plugins);
        if (item !== undefined) marks.change(item.kind, nameKey(nameOfSnapshotItem(item)), JSON.stringify(item));
      }
      const last = page.at(-1);
      if (last === undefined) return { marks, readAtMs: clock.monotonicMs(), readRevision: revision, revision };
      after = last.key;
      if (pace.isDue) await pace.rest();
    }
  }

  /** False when the changes are not known any more. */
  async #follow(known: Known): Promise<boolean> {
    const { store, groupId, plugins, clock } = this.#options;
    const since = await store.changesSince(groupId, known.revision, { secrets: plugins.opensSecret });
    if (since === undefined) return false;
    const pace = new SlowPace(clock, REST_FACTOR);
    for (const change of since.changes) {
      this.#take(known.marks, change);
      if (pace.isDue) await pace.rest();
    }
    known.revision = since.revision;
    return true;
  }

  #take(marks: StateMarks, stored: ResourceChange): void {
    const change = toSnapshotChange(stored, this.#options.plugins);
    if (change === undefined) return;
    const { kind } = change.op === 'put' ? change.item : change.name;
    marks.change(kind, nameKeyOfChange(change), change.op === 'put' ? JSON.stringify(change.item) : undefined);
  }
}
