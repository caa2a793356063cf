import type { JsonObject } from '../../lib/json.ts';
import { compareVersions, describeDifference } from '../history/index.ts';

const MAX_LINES = 20;

/**
 * What a change of a user, role, policy or login option did, as lines for the audit log: `~ /desc: "old" → "new"`. Bounded, whatever the size of
 * the documents, which must hold no secret.
 */
export function describeRecordChange(before: JsonObject, after: JsonObject): { readonly changes?: readonly string[] } {
  const lines = describeDifference(compareVersions(compared(before), compared(after)));
  if (lines.length === 0) return {};
  return { changes: lines.length <= MAX_LINES ? lines : [...lines.slice(0, MAX_LINES), `and ${lines.length - MAX_LINES} more`] };
}

function compared(document: JsonObject): Parameters<typeof compareVersions>[0] {
  return { document, secretPointers: [], secretsSince: [] };
}
