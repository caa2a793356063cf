import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { RESOURCE_KINDS } from '../../schema/index.ts';
import type { Author, GatewayGroup, ResourceKey, StoreTransaction } from '../../store/index.ts';
import { type ApiAnswer, type ApiRequest, isTrial } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { nameOfKey } from './describe-change.ts';
import { transactOrTry } from './dry-run.ts';
import { GATEWAY_GROUP } from './gateway-group-record.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { restoreKeys } from './restore-keys.ts';
import { type LeftOut, presentLeftOut } from './restore-resource.ts';
import { type GroupRevert, readGroupRevert, readRevivingGroupRevert } from './revert-body.ts';
import { checkSuppliedSecrets } from './revert-resource.ts';

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
  const isDryRun = isTrial(request.query);
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
  // What the group itself is called, and its admin key, is no part of its configuration.
  const changed = (await transaction.listChangedKeys(groupId, revert.revision)).filter(({ kind }) => kind !== GATEWAY_GROUP.name);
  const keys = sortKeys(changed);
  await requireKnownNames(work, keys);
  const { restored, deleted, leftOut } = await restoreKeys({ context: work.context, transaction, revert }, keys);
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

/** Parents before what belongs to them, and metadata of plugins, which plugins are checked by, before everything. */
function sortKeys(keys: readonly ResourceKey[]): readonly ResourceKey[] {
  const order = new Map<string, number>([...RESOURCE_KINDS.map(({ name }, index) => [name, index] as const), ['plugin_metadata', -1]]);
  const place = ({ kind }: ResourceKey): number => order.get(kind) ?? order.size;
  const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
  return keys.toSorted((one, other) => place(one) - place(other) || compare(one.parentId, other.parentId) || compare(one.id, other.id));
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
