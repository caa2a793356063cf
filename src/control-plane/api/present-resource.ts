import type { JsonObject } from '../../lib/json.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { StoredResource } from '../../store/index.ts';

/** A resource as answers show it: the stored document with its id and times (Unix seconds), or the document alone (`kind.form`). */
export function presentResource(kind: ResourceKind, resource: StoredResource): JsonObject {
  const presented = kind.present(resource.document, resource.key.id);
  if (kind.form === 'document') return presented;
  return {
    ...presented,
    created_at: resource.createdAt,
    updated_at: resource.updatedAt,
  };
}

/** The entity tag of a resource is its revision (RFC 9110, section 8.8.3). */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}
