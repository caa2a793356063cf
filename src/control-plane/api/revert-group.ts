import { setImmediate } from 'node:timers/promises';
import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { RESOURCE_KINDS } from '../../schema/index.ts';
import type { Author, GatewayGroup, ResourceKey, StoreTransaction } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { kindOfKey, nameOfKey } from './describe-change.ts';
import { transactOrTry } from './dry-run.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { flagParameter } from './query-parameters.ts';
import { currentStateOf, type LeftOut, presentLeftOut, type RestoreResult, restoreResource } from './restore-resource.ts';
import { type GroupRevert, readGroupRevert, readRevivingGroupRevert } from './revert-body.ts';
import { checkSuppliedSecrets } from './revert-resource.ts';

/** The loop gets its turn after so many resources: a large revert must not stop the process. */
const RESOURCES_PER_TURN = 100;
/** An answer and the audit log name this many resources of each sort; beyond, they only count. */
const NAMED_RESOURCES = 1_000;
const NAMED_IN_AUDIT = 20;

/**
 * POST `/api/gateway_groups/{id}/revert`: everything in a group as it was at a revision, as one new revision, or nothing. What cannot come
 * back stays as it is now and is listed: credentials that ended since (unless named, on the reviving path), resources whose secrets are gone
 * and not supplied, and what today's checks refuse.
 */
export async function revertGroup(context: ApiContext, request: ApiRequest, isReviving: boolean): Promise<ApiAnswer> {
  const revert = isReviving ? readRevivingGroupRevert(request.body()) : readGroupRevert(request.body());
  const isDryRun = flagParameter(request.query, 'dry_run');
  const author = authorOf(request);
  const groupId = request.parameters.get('id') ?? '';
  const work = (transaction: StoreTransaction): Promise<GroupOutcome> =>
    restoreGroup({ context, request, author, groupId, revert, isReviving, transaction });
  const outcome = await transactOrTry(context.store, author, isDryRun, work);
  const isChanged = outcome.restored.length + outcome.deleted.length > 0;
  const headers = isChanged && !isDryRun ? await announceChange(context, request, groupId, outcome.revision) : {};
  return {
    headers,
    body: {
      ...(isDryRun ? { dry_run: true } : {}),
      revision: isDryRun ? outcome.previous : outcome.revision,
      reverted_to: revert.revision,
      ...summary('restored', outcome.restored, NAMED_RESOURCES),
      ...summary('deleted', outcome.deleted, NAMED_RESOURCES),
      left_out: outcome.leftOut.slice(0, NAMED_RESOURCES).map(presentLeftOut),
      left_out_count: outcome.leftOut.length,
    },
  };
}

interface GroupRestore {
  readonly context: ApiContext;
  readonly request: ApiRequest;
  readonly author: Author;
  readonly groupId: string;
  readonly revert: GroupRevert;
  readonly isReviving: boolean;
  readonly transaction: StoreTransaction;
}

interface GroupOutcome {
  readonly previous: number;
  readonly revision: number;
  readonly restored: readonly ResourceKey[];
  readonly deleted: readonly ResourceKey[];
  readonly leftOut: readonly LeftOut[];
}

async function restoreGroup(work: GroupRestore): Promise<GroupOutcome> {
  const { transaction, groupId, revert } = work;
  const group = await transaction.getGroup(groupId);
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  checkWritePreconditions(work.request, group.revision);
  await requireKnownState(transaction, group, revert.revision);
  const keys = sortByKind(await transaction.listChangedKeys(groupId, revert.revision));
  await requireKnownNames(work, keys);
  const deleted = await deleteNewer(work, keys.toReversed());
  const { restored, leftOut } = await new Restoration(work, keys).run();
  const revision = (await transaction.getGroup(groupId))?.revision ?? group.revision;
  const outcome = { previous: group.revision, revision, restored, deleted, leftOut };
  if (revision !== group.revision) await appendAudit(work, outcome);
  return outcome;
}

/** @throws PortcullisError 404 */
async function requireKnownState(transaction: StoreTransaction, group: GatewayGroup, revision: number): Promise<void> {
  const keptFrom = await transaction.historyKeptFrom(group.id);
  if (revision >= keptFrom && revision <= group.revision) return;
  const publicMessage = `history knows the states of this group from revision ${keptFrom} to ${group.revision}`;
  throw new PortcullisError('admin_not_found', { publicMessage });
}

/** Parents before what belongs to them. */
function sortByKind(keys: readonly ResourceKey[]): readonly ResourceKey[] {
  const order = new Map<string, number>(RESOURCE_KINDS.map(({ name }, index) => [name, index]));
  return keys.toSorted((one, other) => (order.get(one.kind) ?? order.size) - (order.get(other.kind) ?? order.size));
}

/** A name that means nothing is a mistake, and most likely one in typing. @throws PortcullisError 400 */
async function requireKnownNames({ transaction, revert }: GroupRestore, keys: readonly ResourceKey[]): Promise<void> {
  if (revert.secrets.size === 0 && revert.revived.size === 0) return;
  const known = new Map(keys.map((key) => [nameOfKey(key), key]));
  const unknown = [...revert.secrets.keys(), ...revert.revived].find((name) => !known.has(name));
  if (unknown !== undefined) {
    const publicMessage = `${unknown.slice(0, 256)} is no resource that has changed since revision ${revert.revision}`;
    throw new PortcullisError('admin_invalid', { publicMessage });
  }
  for (const [name, secrets] of revert.secrets) {
    const key = known.get(name);
    const then = key === undefined ? undefined : await transaction.versionAt(key, revert.revision);
    checkSuppliedSecrets(then ?? { secretPointers: [] }, secrets, `/secrets/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

/** Deletes what did not exist then, each by itself: what it owns is decided about by its own past. */
async function deleteNewer({ transaction, revert }: GroupRestore, keys: readonly ResourceKey[]): Promise<readonly ResourceKey[]> {
  const deleted: ResourceKey[] = [];
  for (const [index, key] of keys.entries()) {
    if (index % RESOURCES_PER_TURN === 0) await setImmediate();
    const then = await transaction.versionAt(key, revert.revision);
    if (then?.op !== 'put' && (await transaction.deleteResourceAlone(key))) deleted.push(key);
  }
  return deleted;
}

/** Brings back what existed then, in the order of the keys. */
class Restoration {
  readonly #work: GroupRestore;
  readonly #waiting: Map<string, ResourceKey>;
  readonly #restored: ResourceKey[] = [];
  readonly #leftOut: LeftOut[] = [];

  constructor(work: GroupRestore, keys: readonly ResourceKey[]) {
    this.#work = work;
    this.#waiting = new Map(keys.map((key) => [JSON.stringify(key), key]));
  }

  async run(): Promise<{ readonly restored: readonly ResourceKey[]; readonly leftOut: readonly LeftOut[] }> {
    let count = 0;
    for (const [name, key] of this.#waiting) {
      if (count++ % RESOURCES_PER_TURN === 0) await setImmediate();
      this.#waiting.delete(name);
      await this.#restore(key);
    }
    return { restored: this.#restored, leftOut: this.#leftOut };
  }

  async #restore(key: ResourceKey): Promise<void> {
    let result = await this.#attempt(key);
    // Two resources may have exchanged a unique value since: the other one lets go of it, and gets its own in its turn.
    while (result.holder !== undefined && (await this.#release(result.holder))) result = await this.#attempt(key);
    if (result.stored !== undefined) this.#restored.push(key);
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
    return restoreResource({ context, transaction, kind, key, then, options });
  }

  /** Whether the holder of a value gave it up: only one that is itself about to be restored does. */
  async #release(holder: ResourceKey): Promise<boolean> {
    const { transaction } = this.#work;
    const now = this.#waiting.has(JSON.stringify(holder)) ? await currentStateOf(transaction, holder) : undefined;
    const kind = kindOfKey(holder);
    if (now === undefined || kind === undefined || now.resource.unique.length === 0) return false;
    const { document } = now.resource;
    const owner = kind.owner(document, holder.parentId);
    await transaction.putResource({ key: holder, document, secretPointers: now.version.secretPointers, unique: [], owner });
    return true;
  }
}

async function appendAudit(work: GroupRestore, outcome: GroupOutcome): Promise<void> {
  const { context, request, author, groupId, revert, isReviving, transaction } = work;
  await transaction.appendAudit({
    at: Math.floor(context.clock.nowMs() / 1000),
    author,
    action: `gateway_group.${isReviving ? 'revert-and-revive' : 'revert'}`,
    groupId,
    resource: `gateway_group/${groupId}`,
    address: request.address,
    detail: {
      revision: outcome.revision,
      to: revert.revision,
      ...summary('restored', outcome.restored, NAMED_IN_AUDIT),
      ...summary('deleted', outcome.deleted, NAMED_IN_AUDIT),
      left_out_count: outcome.leftOut.length,
      ...(isReviving ? summary('revived', [...revert.revived], NAMED_IN_AUDIT) : {}),
    },
  });
}

function summary(name: string, keys: readonly (ResourceKey | string)[], named: number): JsonObject {
  const names = keys.slice(0, named).map((key) => (typeof key === 'string' ? key.slice(0, 256) : nameOfKey(key)));
  return { [name]: names, [`${name}_count`]: keys.length };
}
