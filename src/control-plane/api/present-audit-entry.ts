import type { JsonObject } from '../../lib/json.ts';
import type { NumberedAuditEntry } from '../../store/index.ts';
import { presentAuthor } from './present-version.ts';

/** An audit entry as answers and exports show it, in API7's names where it has one. */
export function presentAuditEntry(entry: NumberedAuditEntry): JsonObject {
  const { author, ...origin } = presentAuthor(entry.author, entry.origin);
  return {
    id: entry.number,
    event_type: entry.action,
    created_at: entry.at,
    operator_id: entry.author.id,
    operator_name: entry.author.name,
    ...(entry.groupId === undefined ? {} : { gateway_group_id: entry.groupId }),
    resource_id: entry.resource,
    ...origin,
    detail: entry.detail,
    ...(entry.hash === undefined ? {} : { hash: entry.hash.toString('hex') }),
  };
}
