import type { ResourceKind } from '../../schema/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { createResource } from './create-resource.ts';
import { deleteResource } from './delete-resource.ts';
import { listDocuments, listResources } from './list-resources.ts';
import type { LongLists } from './long-lists.ts';
import { patchResource } from './patch-resource.ts';
import { putResource } from './put-resource.ts';
import { getResource } from './read-resource.ts';

type Operation = (context: ApiContext, kind: ResourceKind, request: ApiRequest) => Promise<ApiAnswer>;

/** What can be done with the resources of a kind. */
export interface ResourceOperations {
  readonly list: Operation;
  readonly create: Operation;
  readonly get: Operation;
  readonly put: Operation;
  readonly patch: Operation;
  readonly remove: Operation;
}

/** The operations of every kind that needs no others. */
export function resourceOperations(longLists: LongLists): ResourceOperations {
  return {
    list: (context, kind, request) =>
      kind.form === 'document' ? listDocuments(context, kind, request) : listResources(context, kind, request, longLists),
    create: createResource,
    get: getResource,
    put: putResource,
    patch: patchResource,
    remove: deleteResource,
  };
}
