import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { formatIssues, isJsonObject, type ResourceKind } from '../../schema/index.ts';
import type { StoredResource } from '../../store/index.ts';
import { ADMIN_SERVER_LIMITS, type ApiAnswer, type ApiRequest } from '../http/index.ts';
import { assertPatchedSize, hideSecrets, type Patch, readPatch, sameJson } from '../patch/index.ts';
import type { ApiContext } from './api-context.ts';
import { type ExaminedDocument, requireValidDocument } from './examine-document.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { factsOfGroup } from './plugin-facts.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { presentResource } from './present-resource.ts';
import { resourceKeyOf } from './resource-path.ts';
import { writeResource } from './write-resource.ts';

/**
 * PATCH of one resource: changes what a read shows of it, by a JSON Patch or a merge patch, and stores the result as a PUT of it would.
 * A write that comes between is seen: the patch is then applied to what that write left.
 */
export async function patchResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const patch = readPatch(request.body(), request.header('content-type'));
  const group = await gatewayGroupOf(context.store, request);
  const key = resourceKeyOf(kind, group.id, request);
  const facts = await factsOfGroup(context, group.id);
  const examine = (resource: StoredResource | undefined): ExaminedDocument => {
    if (resource === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind.name} not found` });
    checkWritePreconditions(request, resource.revision);
    return requireValidDocument(kind, patchedDocument(context, kind, resource, patch), key.id, { ...context, facts });
  };
  // Done before the transaction, which holds the only lock; it is done again there only when another write was quicker.
  const before = await context.store.getResource(key);
  const examined = examine(before);
  return writeResource({
    context,
    request,
    kind,
    key,
    mode: 'patch',
    examine: (current) => (current !== undefined && current.revision === before?.revision ? examined : examine(current)),
  });
}

/**
 * What a resource would be after a patch of what answers show of it. Secrets that answers do not show are kept, and what they show without
 * its being stored is not stored by this either, unless the patch changed it.
 *
 * @throws PortcullisError 400, 409, 413
 */
export function patchedDocument(
  context: Pick<ApiContext, 'random'>,
  kind: ResourceKind,
  resource: StoredResource,
  patch: Patch,
): JsonObject {
  const { document } = resource;
  const hidden = hideSecrets(document, kind.secretPointers(document), context.random);
  const shown: JsonObject = { ...presentResource(kind, resource), ...hidden.document };
  const patched = patch(shown);
  if (!isJsonObject(patched)) {
    throw new PortcullisError('admin_invalid', { publicMessage: formatIssues([{ pointer: '', message: 'value must be an object' }]) });
  }
  assertPatchedSize(patched, ADMIN_SERVER_LIMITS.maxBodyBytes);
  const changed = Object.fromEntries(
    Object.entries(patched).filter(([name, value]) => Object.hasOwn(document, name) || !sameJson(value, shown[name])),
  );
  return hidden.restore(changed, kind.secretPointers);
}
