import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { formatIssues, type ResourceKind } from '../../schema/index.ts';
import type { Author, ResourceKey, ResourceVersion, StoredResource, StoreTransaction } from '../../store/index.ts';
import { compareVersions, describeDifference, patchOperation } from '../history/index.ts';
import { type ApiAnswer, type ApiRequest, isTrial } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { describeChange } from './describe-change.ts';
import { transactOrTry } from './dry-run.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { factsOfGroup } from './plugin-facts.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { noSuchVersion, requirePast } from './read-versions.ts';
import { resourceKeyOf, resourceName } from './resource-path.ts';
import { type LeftOut, presentLeftOut, type RestoreResult, restoreResource } from './restore-resource.ts';
import { type ResourceRevert, readResourceRevert } from './revert-body.ts';
import { translateConflicts } from './unique-conflicts.ts';

/**
 * POST `…/revert`: one resource, also one that is deleted, as it was at a revision, as a new version. With `isReviving` a credential comes
 * back that was deleted, disabled or replaced since; without, that is 409, as are secrets that are gone and not supplied.
 */
export async function revertResource(
  context: ApiContext,
  kind: ResourceKind,
  request: ApiRequest,
  isReviving: boolean,
): Promise<ApiAnswer> {
  const body = request.body();
  const group = await gatewayGroupOf(context.store, request);
  const revert = readResourceRevert(body);
  const isDryRun = isTrial(request.query);
  const key = resourceKeyOf(kind, group.id, request);
  const author = authorOf(request);
  const work = (transaction: StoreTransaction): Promise<Outcome> =>
    restore({ context, kind, key, request, author, revert, isReviving, transaction });
  const outcome = await translateConflicts(context.plugins, () => transactOrTry(context.store, author, isDryRun, work));
  if (outcome.kind === 'refused') return { status: 409, body: refusal(outcome.leftOut) };
  const { resource, before, after, result } = outcome;
  const headers = result.stored === undefined || isDryRun ? {} : await announceChange(context, request, group.id, resource.revision);
  const difference = compareVersions(before, after);
  return {
    headers: { ...headers, ...(isDryRun ? {} : { etag: entityTag(resource.revision) }) },
    body: {
      value: presentResource(kind, isDryRun ? { ...resource, document: after.document ?? {} } : resource),
      patch: difference.operations.map(patchOperation),
      text: describeDifference(difference),
      left_out: result.leftOut.map(presentLeftOut),
      ...(isDryRun ? { dry_run: true } : {}),
      ...(result.warnings.length > 0 ? { warning_msg: result.warnings.join('; ') } : {}),
    },
  };
}

interface Revert {
  readonly context: ApiContext;
  readonly kind: ResourceKind;
  readonly key: ResourceKey;
  readonly request: ApiRequest;
  readonly author: Author;
  readonly revert: ResourceRevert;
  readonly isReviving: boolean;
  readonly transaction: StoreTransaction;
}

type Outcome =
  | { readonly kind: 'refused'; readonly leftOut: readonly LeftOut[] }
  | {
      readonly kind: 'done';
      readonly resource: StoredResource;
      readonly before: ResourceVersion | undefined;
      readonly after: ResourceVersion;
      readonly result: RestoreResult;
    };

async function restore(work: Revert): Promise<Outcome> {
  const { context, kind, key, request, revert, isReviving, transaction } = work;
  const current = await transaction.getResource(key);
  checkWritePreconditions(request, current?.revision);
  await requirePast(transaction, key.groupId, revert.revision);
  const then = await transaction.versionAt(key, revert.revision);
  if (then === undefined || then.op === 'delete') throw noSuchVersion(kind, revert.revision);
  checkSuppliedSecrets(then, revert.secrets);
  const [before] = await transaction.listVersions(key, 1);
  const options = { supplied: revert.secrets, revive: isReviving };
  const facts = await factsOfGroup({ ...context, store: transaction }, key.groupId);
  const result = await restoreResource({ context, transaction, facts, kind, key, then, options });
  if (result.leftOut.some(({ reason }) => reason === 'invalid' || reason === 'duplicate' || reason === 'mismatch')) {
    throw new PortcullisError('admin_invalid', { publicMessage: result.leftOut.map(({ message }) => message).join('; ') });
  }
  const resource = result.stored ?? current;
  const [after] = await transaction.listVersions(key, 1);
  // A credential that stays as it is was asked for and not given; a consumer of which a part stays is restored all the same.
  const isRefused =
    result.stored === undefined && result.leftOut.length > 0 && !(kind.pluginSite === 'consumer' && isEnded(result.leftOut));
  if (isRefused || resource === undefined || after === undefined) return { kind: 'refused', leftOut: result.leftOut };
  if (result.stored !== undefined) await appendAudit(work, result.stored, result);
  return { kind: 'done', resource, before, after, result };
}

function isEnded(leftOut: readonly LeftOut[]): boolean {
  return leftOut.every(({ reason }) => reason === 'deleted' || reason === 'disabled' || reason === 'replaced');
}

async function appendAudit(work: Revert, stored: StoredResource, result: RestoreResult): Promise<void> {
  const { context, kind, key, request, author, revert, isReviving, transaction } = work;
  await transaction.appendAudit({
    at: Math.floor(context.clock.nowMs() / 1000),
    author,
    action: `${kind.name}.${isReviving ? 'revert-and-revive' : 'revert'}`,
    groupId: key.groupId,
    resource: resourceName(kind, key),
    address: request.address,
    detail: {
      revision: stored.revision,
      to: revert.revision,
      left_out: result.leftOut.length,
      ...(await describeChange(transaction, key, stored.revision)),
    },
  });
}

/** A secret that the version has no place for is a mistake of the caller. @throws PortcullisError 400 that names it */
export function checkSuppliedSecrets(
  then: Pick<ResourceVersion, 'secretPointers'>,
  supplied: ReadonlyMap<string, JsonValue>,
  pointer = '/secrets',
): void {
  const issues = [...supplied.keys()]
    .filter((name) => !then.secretPointers.includes(name))
    .map((name) => ({
      pointer: `${pointer}/${name.slice(0, 256).replaceAll('~', '~0').replaceAll('/', '~1')}`,
      message: 'the version has no secret there',
    }));
  if (issues.length > 0) throw new PortcullisError('admin_invalid', { publicMessage: formatIssues(issues) });
}

function refusal(leftOut: readonly LeftOut[]): JsonObject {
  const texts = leftOut.map(
    ({ resource, pointers, message }) => `${resource}${pointers.length > 0 ? ` (${pointers.join(', ')})` : ''}: ${message}`,
  );
  return { error_msg: texts.join('; '), left_out: leftOut.map(presentLeftOut) };
}
