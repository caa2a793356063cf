import { isJsonObject, type ResourceKind } from '../../schema/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { requireValidDocument } from './examine-document.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { factsForPlugins } from './plugin-facts.ts';
import { resourceKeyOf } from './resource-path.ts';
import { permitKind } from './resource-permissions.ts';
import { writeResource } from './write-resource.ts';

/** PUT of one resource: creates it, or replaces it as a whole, and answers 200 in both cases. */
export async function putResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const body = request.body();
  const group = await gatewayGroupOf(context.store, request);
  permitKind(request, kind, 'write', group.id);
  const key = resourceKeyOf(kind, group.id, request);
  const facts = await factsForPlugins(context, group.id, isJsonObject(body) ? body.plugins : undefined);
  const examined = requireValidDocument(kind, body, key.id, { ...context, facts });
  return writeResource({ context, request, kind, key, mode: 'put', examine: () => examined, foreseen: examined.unique });
}
