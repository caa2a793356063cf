import { isJsonObject, type ResourceKind } from '../../schema/index.ts';
import { randomId } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { requireValidDocument } from './examine-document.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { idInBody } from './id-in-body.ts';
import { factsForPlugins } from './plugin-facts.ts';
import { checkedId, parentIdOf } from './resource-path.ts';
import { permitKind } from './resource-permissions.ts';
import { writeResource } from './write-resource.ts';

/**
 * POST on a list: creates a resource and answers 200 with it, its id among its fields, as API7 does. The id is the one in the body, the
 * name of a global rule's plugin, or a new one; a resource that exists already is left as it is (409).
 */
export async function createResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const body = request.body();
  const group = await gatewayGroupOf(context.store, request);
  permitKind(request, kind, 'create', group.id);
  const parentId = parentIdOf(kind, request);
  const ownId = idInBody(kind, body);
  // Told with all that is wrong besides, where the body does not even give itself the name it must have.
  const facts = await factsForPlugins(context, group.id, isJsonObject(body) ? body.plugins : undefined);
  const examined = requireValidDocument(kind, body, ownId, { ...context, facts });
  const key = { groupId: group.id, kind: kind.name, parentId, id: checkedId(kind, ownId ?? randomId(context.random)) };
  return writeResource({ context, request, kind, key, mode: 'create', examine: () => examined, foreseen: examined.unique });
}
