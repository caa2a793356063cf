import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { ResourceKey, ResourceVersion, StoreReader } from '../../store/index.ts';
import { compareVersions, describeDifference, patchOperation } from '../history/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { presentRevision, presentVersion, presentVersionHead } from './present-version.ts';
import { numberParameter } from './query-parameters.ts';

const DEFAULT_PAGE_SIZE = 20;
const PAGE_SIZES = { least: 1, most: 500 };
const NUMBERS = { least: 0, most: 999_999_999_999_999 };
/** How many of a revision's resources the list of revisions names. */
const NAMED_RESOURCES = 10;

/** GET of a resource's versions, deletes included, the latest first. It need not exist any more. */
export async function listVersions(context: ApiContext, kind: ResourceKind, key: ResourceKey, request: ApiRequest): Promise<ApiAnswer> {
  const size = numberParameter(request.query, 'page_size', PAGE_SIZES) ?? DEFAULT_PAGE_SIZE;
  const before = numberParameter(request.query, 'before', NUMBERS);
  const total = await context.store.countVersions(key);
  if (total === 0) throw notFound(kind);
  const versions = await context.store.listVersionHeads(key, size + 1, before);
  const page = versions.slice(0, size);
  const next = versions.length > size ? { next: String(page.at(-1)?.number) } : {};
  return { body: { list: page.map(presentVersionHead), total, ...next } };
}

/** GET of one version with its document, by the revision that made it. */
export async function getVersion(context: ApiContext, kind: ResourceKind, key: ResourceKey, request: ApiRequest): Promise<ApiAnswer> {
  return { body: { value: presentVersion(kind, await versionInPath(context, kind, key, request)) } };
}

/** The version that the last part of a path names by the revision that made it. @throws PortcullisError 400, 404 */
export async function versionInPath(
  { store }: Pick<ApiContext, 'store'>,
  kind: ResourceKind,
  key: ResourceKey,
  request: ApiRequest,
): Promise<ResourceVersion> {
  const revision = revisionOf(request.parameters.get('revision') ?? '');
  const version = await store.versionAt(key, revision);
  if (version?.revision !== revision) throw noSuchVersion(kind, revision);
  return version;
}

/** GET of the difference between the versions that were in force at two revisions; without `to`, to what is in force now. */
export async function diffVersions(context: ApiContext, kind: ResourceKind, key: ResourceKey, request: ApiRequest): Promise<ApiAnswer> {
  const from = numberParameter(request.query, 'from', NUMBERS);
  if (from === undefined) throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter from is required' });
  const to = numberParameter(request.query, 'to', NUMBERS);
  if ((await context.store.countVersions(key)) === 0) throw notFound(kind);
  await requirePast(context.store, key.groupId, Math.max(from, to ?? 0));
  const [before, after] = [await stateAt(context, key, from), await stateAt(context, key, to ?? NUMBERS.most)];
  const difference = compareVersions(before, after);
  return {
    body: {
      value: {
        from: before === undefined ? null : presentVersionHead(before),
        to: after === undefined ? null : presentVersionHead(after),
        patch: difference.operations.map(patchOperation),
        secrets: difference.secrets.map(({ pointer, change }) => ({ pointer, change })),
        text: describeDifference(difference),
      },
    },
  };
}

/** GET of a group's revisions, the latest first, each with what it changed. */
export async function listRevisions(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  const group = await context.store.getGroup(groupId);
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  const size = numberParameter(request.query, 'page_size', PAGE_SIZES) ?? DEFAULT_PAGE_SIZE;
  const before = numberParameter(request.query, 'before', NUMBERS);
  const revisions = await context.store.listRevisions(groupId, size + 1, before);
  const page = revisions.slice(0, size);
  const list = [];
  for (const revision of page) {
    list.push(presentRevision(revision, await context.store.listVersionsOfRevision(groupId, revision.revision, NAMED_RESOURCES)));
  }
  const keptFrom = await context.store.historyKeptFrom(groupId);
  const next = revisions.length > size ? { next: String(page.at(-1)?.revision) } : {};
  return { body: { list, revision: group.revision, kept_from: keptFrom, ...next } };
}

/** @throws PortcullisError 400 for a path that names no revision */
function revisionOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new PortcullisError('admin_invalid', { publicMessage: 'a revision is a whole number from 1' });
  return Number(text);
}

/** The refusal of a revision at which the resource did not exist, or of which nothing is known any more. */
export function noSuchVersion(kind: ResourceKind, revision: number): PortcullisError {
  return new PortcullisError('admin_not_found', {
    publicMessage: `history knows no version of this ${kind.name} at revision ${revision}: it did not exist then, or the version is forgotten`,
  });
}

/** Of a revision that is yet to come nobody can tell what it will hold. @throws PortcullisError 404 */
export async function requirePast(store: Pick<StoreReader, 'getGroup'>, groupId: string, revision: number): Promise<void> {
  const newest = (await store.getGroup(groupId))?.revision ?? 0;
  if (revision <= newest) return;
  throw new PortcullisError('admin_not_found', { publicMessage: `revision ${revision} is yet to come: the group is at ${newest}` });
}

async function stateAt(context: ApiContext, key: ResourceKey, revision: number): Promise<ResourceVersion | undefined> {
  return context.store.versionAt(key, revision);
}

function notFound(kind: ResourceKind): PortcullisError {
  return new PortcullisError('admin_not_found', { publicMessage: `history knows no ${kind.name} of this name` });
}
