import { PortcullisError } from '../../errors/index.ts';
import { formatIssues, type ResourceKind, resourceKind } from '../../schema/index.ts';
import type { ResourceKey } from '../../store/index.ts';
import type { ApiRequest } from '../http/index.ts';

/** The paths of a kind's list, e.g. `/apisix/admin/consumers/:parent/credentials`, under each of its names. */
export function collectionPaths(kind: ResourceKind): readonly string[] {
  const base = kind.parent === undefined ? '/apisix/admin' : `/apisix/admin/${resourceKind(kind.parent).collection}/:parent`;
  return [kind.collection, ...kind.otherCollections].map((collection) => `${base}/${collection}`);
}

/** The path of one resource below a path of its list. */
export function resourcePath(kind: ResourceKind, collectionPath: string): string {
  return `${collectionPath}/${kind.idPath}`;
}

/** Whether a body can give the whole of an id that the path leaves out, so that a PUT on the list is one of the resource. */
export function isNamedByBody({ idPath }: ResourceKind): boolean {
  return idPath === ':id';
}

/** What stands before the id in the path: the consumer of a credential; `''` for kinds without parent. @throws PortcullisError 400 */
export function parentIdOf(kind: ResourceKind, request: ApiRequest): string {
  if (kind.parent === undefined) return '';
  return checkedId(resourceKind(kind.parent), request.parameters.get('parent') ?? '');
}

/** The key of the resource that a path names. @throws PortcullisError 400 when an id in it is malformed or reserved */
export function resourceKeyOf(kind: ResourceKind, groupId: string, request: ApiRequest): ResourceKey {
  const parentId = parentIdOf(kind, request);
  const segments = kind.idPath.split('/').map((segment) => request.parameters.get(segment.slice(1)) ?? '');
  return { groupId, kind: kind.name, parentId, id: checkedId(kind, segments.join('/')) };
}

/** The key of a resource's parent, for kinds that have one. */
export function parentKeyOf(kind: ResourceKind, key: ResourceKey): ResourceKey | undefined {
  return kind.parent === undefined ? undefined : { groupId: key.groupId, kind: kind.parent, parentId: '', id: key.parentId };
}

/** How messages and the audit log name a resource, e.g. `consumer/jack/credential/c1`. */
export function resourceName(kind: ResourceKind, key: ResourceKey): string {
  return kind.parent === undefined ? `${kind.name}/${key.id}` : `${kind.parent}/${key.parentId}/${kind.name}/${key.id}`;
}

/** An id that a path or a body names. @throws PortcullisError 400 when it is malformed or reserved */
export function checkedId(kind: ResourceKind, id: string): string {
  const issues = kind.checkId(id);
  if (issues.length > 0) throw new PortcullisError('admin_invalid', { publicMessage: formatIssues(issues) });
  return id;
}
