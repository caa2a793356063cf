import type { JsonObject } from '../../lib/json.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { Author, ChangeOrigin, GroupRevision, ResourceVersion, VersionHead } from '../../store/index.ts';
import { nameOfKey } from './describe-change.ts';

/** A version as answers show it, without its document. */
export function presentVersionHead(version: VersionHead): JsonObject {
  return {
    revision: version.revision,
    op: version.op,
    at: version.at,
    ...presentAuthor(version.author, version.origin),
    secrets: version.secretPointers,
  };
}

/** The same with its document, as the kind shows it, without its secrets. */
export function presentVersion(kind: ResourceKind, version: ResourceVersion): JsonObject {
  const { document, key } = version;
  return { ...presentVersionHead(version), ...(document === undefined ? {} : { value: kind.present(document, key.id) }) };
}

/** A revision of a group with the first of the resources that it changed. */
export function presentRevision(revision: GroupRevision, versions: readonly VersionHead[]): JsonObject {
  return {
    revision: revision.revision,
    at: revision.at,
    ...presentAuthor(revision.author, revision.origin),
    changes: revision.changes,
    resources: versions.map(({ key, op }) => ({ op, resource: nameOfKey(key) })),
  };
}

/** Who made a change and from where; what is not known is left out. */
export function presentAuthor(author: Pick<Author, 'id' | 'name'>, origin: ChangeOrigin): JsonObject {
  const { source, address, userAgent, reason, requestId } = origin;
  return {
    author: { id: author.id, name: author.name },
    source,
    ...(address === undefined ? {} : { address }),
    ...(userAgent === undefined ? {} : { user_agent: userAgent }),
    ...(reason === undefined ? {} : { reason }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}
