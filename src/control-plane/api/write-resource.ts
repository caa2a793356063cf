import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { Author, ResourceKey, StoredResource, StoreTransaction } from '../../store/index.ts';
import { type ApiAnswer, type ApiRequest, isTrial } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { describeChange } from './describe-change.ts';
import { TRIED, transactOrTry } from './dry-run.ts';
import type { ExaminedDocument } from './examine-document.ts';
import { warningsForUpstreams } from './missing-upstreams.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { parentKeyOf, resourceName } from './resource-path.ts';
import { permitResource } from './resource-permissions.ts';
import { refuseDuplicates, translateConflicts } from './unique-conflicts.ts';
import { warningsForReferences } from './warnings-for-references.ts';

/** One write of one resource. */
export interface ResourceWriting {
  readonly context: ApiContext;
  readonly request: ApiRequest;
  readonly kind: ResourceKind;
  readonly key: ResourceKey;
  /** `create` is refused with 409 where the resource exists already; `patch` works on what is there, with its secrets. */
  readonly mode: 'put' | 'create' | 'patch';
  /** What is to be stored, of what is there now; secrets are left out of it unless the mode is `patch`. Called inside the transaction, so it must not take long. @throws PortcullisError */
  examine(current: StoredResource | undefined): ExaminedDocument;
  /** The transaction may do much else besides, and has foreseen what this write needs. */
  readonly isOneOfMany?: true;
  /** Unique values that the document is to have, as far as they are known before. */
  readonly foreseen?: ExaminedDocument['unique'];
  /** Other writes of the same transaction, after all checks and before the resource's own. */
  alongside?(transaction: StoreTransaction, examined: ExaminedDocument): Promise<void>;
  /** How the answer shows it; default: as a read does. */
  present?(stored: StoredResource): JsonObject;
}

/**
 * Writes a resource in one transaction and answers 200 when the gateways have it in force, or have been waited for. Nothing is stored
 * unless everything holds.
 *
 * Faults are told in APISIX's order: JSON, schemas, duplicate keys (400), then a parent that does not exist (404), one that exists
 * already (409), conditions (412).
 */
export async function writeResource(writing: ResourceWriting): Promise<ApiAnswer> {
  const { context, request, kind, key } = writing;
  const author = authorOf(request);
  const isTried = isTrial(request.query);
  let examined: ExaminedDocument | undefined;
  const noted: ResourceWriting = {
    ...writing,
    examine: (current) => {
      examined = writing.examine(current);
      return examined;
    },
  };
  const { stored, warnings } = await translateConflicts(
    context.plugins,
    () =>
      transactOrTry(context.store, author, isTried, async (transaction) => {
        const written = await storeResource(noted, transaction, author);
        return { stored: written.stored, warnings: await warningsOf(noted, transaction, written.examined) };
      }),
    () => examined?.shared ?? [],
  );
  const headers = isTried
    ? {}
    : { ...(await announceChange(context, request, key.groupId, stored.revision)), etag: entityTag(stored.revision) };
  return {
    headers,
    body: {
      value: writing.present?.(stored) ?? presentResource(kind, stored),
      ...(warnings.length > 0 ? { warning_msg: warnings.join('; ') } : {}),
      ...(isTried ? TRIED : {}),
    },
  };
}

/**
 * One write within a transaction, after all checks of it, with its audit entry.
 *
 * @throws PortcullisError, UniqueConflict, SharedConflict, RevisionConflict, before anything is written
 */
export async function storeResource(
  writing: ResourceWriting,
  transaction: StoreTransaction,
  author: Author,
): Promise<{ readonly stored: StoredResource; readonly isNew: boolean; readonly examined: ExaminedDocument }> {
  const { context, request, kind, key } = writing;
  if (writing.isOneOfMany !== true)
    await transaction.foresee({ groupId: key.groupId, keys: keysOfWrite(kind, key), unique: writing.foreseen ?? [] });
  const current = await transaction.getResource(key, { secrets: writing.mode === 'patch' ? 'include' : 'omit' });
  const verb = writing.mode === 'create' ? 'create' : 'write';
  // Both what is replaced and what it becomes: nobody moves a route into a service that is not his, or out of one.
  if (current !== undefined) await permitResource(transaction, request, verb, key, current.document);
  const examined = writing.examine(current);
  await permitResource(transaction, request, verb, key, examined.document);
  // Among many writes it is not worth asking twice only to tell this fault first.
  if (writing.isOneOfMany !== true) await refuseDuplicates(transaction, key, examined.unique);
  await requireParent(transaction, kind, key);
  if (writing.mode === 'create' && current !== undefined) throw existsAlready(kind, key);
  const isConditional = checkWritePreconditions(request, current?.revision);
  await writing.alongside?.(transaction, examined);
  const stored = await transaction.putResource({
    key,
    document: examined.document,
    secretPointers: examined.secretPointers,
    unique: examined.unique,
    shared: examined.shared,
    owner: kind.owner(examined.document, key.parentId),
    ...(isConditional ? { expectedRevision: current?.revision ?? 0 } : {}),
  });
  await transaction.appendAudit({
    at: Math.floor(context.clock.nowMs() / 1000),
    author,
    action: `${kind.name}.put`,
    groupId: key.groupId,
    resource: resourceName(kind, key),
    address: request.address,
    detail: { revision: stored.revision, created: current === undefined, ...(await describeChange(transaction, key, stored.revision)) },
  });
  return { stored, isNew: current === undefined, examined };
}

/** What is to be said of a document that was stored, as long as nothing more is written. */
export async function warningsOf(
  { context, kind, key }: Pick<ResourceWriting, 'context' | 'kind' | 'key'>,
  transaction: StoreTransaction,
  { document, warnings }: ExaminedDocument,
): Promise<readonly string[]> {
  return [
    ...warnings,
    ...(await warningsForReferences(transaction, kind, key, document)),
    ...(await warningsForUpstreams(transaction, kind, key, document, context.plugins)),
  ];
}

function existsAlready(kind: ResourceKind, key: ResourceKey): PortcullisError {
  return new PortcullisError('admin_conflict', { publicMessage: `${kind.name} ${key.id} exists already` });
}

/** What a write of a resource reads in any case. */
export function keysOfWrite(kind: ResourceKind, key: ResourceKey): readonly ResourceKey[] {
  const parent = parentKeyOf(kind, key);
  return parent === undefined ? [key] : [key, parent];
}

async function requireParent(transaction: StoreTransaction, kind: ResourceKind, key: ResourceKey): Promise<void> {
  const parentKey = parentKeyOf(kind, key);
  if (parentKey === undefined || (await transaction.getResource(parentKey, { secrets: 'omit' })) !== undefined) return;
  throw new PortcullisError('admin_not_found', { publicMessage: `${parentKey.kind} not found` });
}
