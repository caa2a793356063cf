import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { Author, ResourceKey, StoredResource, StoreTransaction } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { describeChange } from './describe-change.ts';
import { type ExaminedDocument, requireValidDocument } from './examine-document.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { parentKeyOf, resourceKeyOf, resourceName } from './resource-path.ts';
import { refuseDuplicates, translateConflicts } from './unique-conflicts.ts';

/**
 * PUT of one resource: creates it, or replaces it as a whole, and answers 200 in both cases. Nothing is stored unless everything
 * holds; the answer waits until the gateways have the change in force.
 *
 * Faults are told in APISIX's order: JSON, schemas, duplicate keys (400), then a parent that does not exist (404).
 */
export async function putResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const body = request.body();
  const group = await gatewayGroupOf(context.store, request);
  const key = resourceKeyOf(kind, group.id, request);
  const examined = requireValidDocument(kind, body, key.id, context);
  const author = authorOf(request);
  const { stored, warnings } = await translateConflicts(context.plugins, () =>
    context.store.transaction(author, (transaction) => store({ context, transaction, kind, key, examined, request, author })),
  );
  const headers = await announceChange(context, request, group.id, stored.revision);
  return {
    headers: { ...headers, etag: entityTag(stored.revision) },
    body: {
      value: presentResource(kind, stored),
      ...(warnings.length > 0 ? { warning_msg: warnings.join('; ') } : {}),
    },
  };
}

interface Write {
  readonly context: ApiContext;
  readonly transaction: StoreTransaction;
  readonly kind: ResourceKind;
  readonly key: ResourceKey;
  readonly examined: ExaminedDocument;
  readonly request: ApiRequest;
  readonly author: Author;
}

async function store(write: Write): Promise<{ readonly stored: StoredResource; readonly warnings: readonly string[] }> {
  const { context, transaction, kind, key, examined, request, author } = write;
  await refuseDuplicates(transaction, key, examined.unique);
  await requireParent(transaction, kind, key);
  const current = await transaction.getResource(key, { secrets: 'omit' });
  const isConditional = checkWritePreconditions(request, current?.revision);
  const owner = kind.owner(examined.document, key.parentId);
  const stored = await transaction.putResource({
    key,
    document: examined.document,
    secretPointers: examined.secretPointers,
    unique: examined.unique,
    owner,
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
  return { stored, warnings: [...examined.warnings, ...(await warningsForOwner(transaction, kind, key, owner))] };
}

async function requireParent(transaction: StoreTransaction, kind: ResourceKind, key: ResourceKey): Promise<void> {
  const parentKey = parentKeyOf(kind, key);
  if (parentKey === undefined || (await transaction.getResource(parentKey, { secrets: 'omit' })) !== undefined) return;
  throw new PortcullisError('admin_not_found', { publicMessage: `${parentKey.kind} not found` });
}

/** An owner other than the parent may come later: ADC moves a route before it creates the service. */
async function warningsForOwner(
  transaction: StoreTransaction,
  kind: ResourceKind,
  key: ResourceKey,
  owner: { readonly kind: string; readonly id: string } | undefined,
): Promise<readonly string[]> {
  if (owner === undefined || owner.kind === kind.parent) return [];
  const found = await transaction.getResource({ groupId: key.groupId, kind: owner.kind, parentId: '', id: owner.id }, { secrets: 'omit' });
  return found === undefined ? [`the ${owner.kind} ${owner.id} does not exist yet: the ${kind.name} is not served until it does`] : [];
}
