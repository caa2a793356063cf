import { setImmediate } from 'node:timers/promises';
import { PortcullisError } from '../../errors/index.ts';
import type { PluginFacts } from '../../plugin-kit/index.ts';
import type { ResourceKind } from '../../schema/index.ts';
import { isConflict, type ResourceKey, type ResourceWrite, type StoreTransaction } from '../../store/index.ts';
import type { CurrentState } from '../history/index.ts';
import type { ApiContext } from './api-context.ts';
import { kindOfKey, nameOfKey } from './describe-change.ts';
import { type ExaminedShare, examineDocument } from './examine-document.ts';
import { isKeptWhileReferred, listReferences } from './list-references.ts';
import { factsOfGroup } from './plugin-facts.ts';
import { currentStateOf, type LeftOut, type RestoreResult, restoreResource } from './restore-resource.ts';
import type { GroupRevert } from './revert-body.ts';
import { keysOfWrite } from './write-resource.ts';

/** The loop gets its turn after so many resources: a large revert must not stop the process. */
const RESOURCES_PER_TURN = 100;

/** What a restore of many resources works with. */
interface RestoreWork {
  readonly context: ApiContext;
  readonly transaction: StoreTransaction;
  readonly revert: GroupRevert;
}

/** What became of the resources. */
export interface RestoredKeys {
  readonly restored: readonly ResourceKey[];
  readonly deleted: readonly ResourceKey[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Brings the given resources of one group back to a revision: deletes what did not exist then, and restores the rest in the order given.
 * What others still name when all this is done is not deleted, and told.
 *
 * @throws PortcullisError 409 when something had to give up a value for another, and cannot come back itself
 */
export async function restoreKeys(work: RestoreWork, keys: readonly ResourceKey[]): Promise<RestoredKeys> {
  const newestFirst = keys.toReversed();
  const referred = newestFirst.filter(({ kind }) => isKeptWhileReferred(kind));
  const others = newestFirst.filter(({ kind }) => !isKeptWhileReferred(kind));
  const deleted = await deleteNewer(work, others, new Map());
  const { restored, leftOut } = await new Restoration(work, keys).run();
  const inUse: LeftOut[] = [];
  for (const [kind, ofKind] of Map.groupBy(referred, (key) => key.kind)) {
    const users = await listReferences(work.transaction, ofKind[0]?.groupId ?? '', kind);
    const kept = new Map([...users].map(([id, user]) => [id, `${nameOfKey(user)} names it`]));
    const gone = await deleteNewer(work, ofKind, kept, inUse);
    deleted.push(...gone);
  }
  return { restored, deleted, leftOut: [...leftOut, ...inUse] };
}

/** Deletes what did not exist then, each by itself: what it owns is decided about by its own past. `kept` are ids that must stay, and why. */
async function deleteNewer(
  { transaction, revert }: RestoreWork,
  keys: readonly ResourceKey[],
  kept: ReadonlyMap<string, string>,
  inUse: LeftOut[] = [],
): Promise<ResourceKey[]> {
  const deleted: ResourceKey[] = [];
  for (const [index, key] of keys.entries()) {
    if (index % RESOURCES_PER_TURN === 0) await nextTurn({ transaction, revert }, keys.slice(index, index + RESOURCES_PER_TURN));
    const then = await transaction.versionAt(key, revert.revision);
    if (then?.op === 'put') continue;
    const message = kept.get(key.id);
    if (message === undefined) {
      if (await transaction.deleteResourceAlone(key)) deleted.push(key);
    } else if ((await transaction.getResource(key, { secrets: 'omit' })) !== undefined) {
      inUse.push({ resource: nameOfKey(key), reason: 'in_use', pointers: [], message });
    }
  }
  return deleted;
}

/** Lets the loop have its turn, and reads what the next resources are and were. */
async function nextTurn({ transaction, revert }: Pick<RestoreWork, 'transaction' | 'revert'>, keys: readonly ResourceKey[]): Promise<void> {
  await setImmediate();
  const groupId = keys[0]?.groupId ?? '';
  const parents = keys.flatMap((key) => {
    const kind = kindOfKey(key);
    return kind === undefined ? [] : keysOfWrite(kind, key);
  });
  await transaction.foresee({ groupId, keys: [...keys, ...parents], revision: revert.revision });
}

/** What a resource gave up so that another could have it. */
interface Released {
  readonly now: CurrentState;
  readonly kind: ResourceKind;
  readonly shared: readonly ExaminedShare[];
}

/** Brings back what existed then, in the order of the keys. */
class Restoration {
  readonly #work: RestoreWork;
  readonly #waiting: Map<string, ResourceKey>;
  readonly #released = new Map<string, Released>();
  readonly #restored = new Map<string, ResourceKey>();
  readonly #leftOut: LeftOut[] = [];
  #facts: PluginFacts | undefined;

  constructor(work: RestoreWork, keys: readonly ResourceKey[]) {
    this.#work = work;
    this.#waiting = new Map(keys.map((key) => [JSON.stringify(key), key]));
  }

  async run(): Promise<{ readonly restored: readonly ResourceKey[]; readonly leftOut: readonly LeftOut[] }> {
    const keys = [...this.#waiting];
    for (const [index, [name, key]] of keys.entries()) {
      if (index % RESOURCES_PER_TURN === 0)
        await nextTurn(
          this.#work,
          keys.slice(index, index + RESOURCES_PER_TURN).map(([, each]) => each),
        );
      this.#waiting.delete(name);
      await this.#restore(name, key);
    }
    for (const [name, released] of this.#released) if (!this.#restored.has(name)) await this.#reclaim(released);
    return { restored: [...this.#restored.values()], leftOut: this.#leftOut };
  }

  async #restore(name: string, key: ResourceKey): Promise<void> {
    let result = await this.#attempt(key);
    // Two resources may have exchanged a value since: the other one lets go of it, and gets its own in its turn.
    while (result.holder !== undefined && (await this.#release(result.holder))) {
      await setImmediate();
      result = await this.#attempt(key);
    }
    if (result.stored !== undefined) this.#restored.set(name, key);
    if (result.stored !== undefined && key.kind === 'plugin_metadata') this.#facts = undefined;
    this.#leftOut.push(...result.leftOut);
  }

  async #attempt(key: ResourceKey): Promise<RestoreResult> {
    const { context, transaction, revert } = this.#work;
    const nothing = { stored: undefined, warnings: [], leftOut: [] };
    const then = await transaction.versionAt(key, revert.revision);
    if (then === undefined || then.op === 'delete') return nothing;
    const kind = kindOfKey(key);
    const name = nameOfKey(key);
    if (kind === undefined) {
      const message = `this version of Portcullis knows no ${key.kind}`;
      return { ...nothing, leftOut: [{ resource: name, reason: 'invalid', pointers: [], message }] };
    }
    const options = { supplied: revert.secrets.get(name) ?? new Map(), revive: revert.revived.has(name) };
    return restoreResource({ context, transaction, facts: await this.#factsOf(key.groupId), kind, key, then, options });
  }

  /** Whether the holder of a value gave it up: only one that is itself about to be restored does, and once. */
  async #release(holder: ResourceKey): Promise<boolean> {
    const { context, transaction } = this.#work;
    const name = JSON.stringify(holder);
    const isWaiting = this.#waiting.has(name) && !this.#released.has(name);
    const now = isWaiting ? await currentStateOf(transaction, holder) : undefined;
    const kind = kindOfKey(holder);
    if (now === undefined || kind === undefined) return false;
    const facts = await this.#factsOf(holder.groupId);
    const examination = examineDocument(kind, now.resource.document, holder.id, { ...context, facts });
    this.#released.set(name, { now, kind, shared: examination.ok ? examination.examined.shared : [] });
    await transaction.putResource({ ...writeOf(now, kind), unique: [] });
    return true;
  }

  /** What gave up its values and did not come back stays as it is, with them; when they are somebody else's by now, nothing is reverted. */
  async #reclaim({ now, kind, shared }: Released): Promise<void> {
    const { key, unique } = now.resource;
    try {
      await this.#work.transaction.putResource({ ...writeOf(now, kind), unique, shared });
    } catch (error) {
      if (!isConflict(error)) throw error;
      const publicMessage = `${nameOfKey(key)} cannot come back, and a value that it has now was another's then: nothing was reverted`;
      throw new PortcullisError('admin_conflict', { publicMessage });
    }
  }

  async #factsOf(groupId: string): Promise<PluginFacts> {
    const { context, transaction } = this.#work;
    this.#facts ??= await factsOfGroup({ ...context, store: transaction }, groupId);
    return this.#facts;
  }
}

function writeOf({ resource, version }: CurrentState, kind: ResourceKind): Omit<ResourceWrite, 'unique' | 'shared'> {
  const { key, document } = resource;
  return { key, document, secretPointers: version.secretPointers, owner: kind.owner(document, key.parentId) };
}
