import type { JsonObject } from '../lib/json.ts';
import type { Issue } from './issue.ts';
import type { ResourceKind } from './resource-kind.ts';

export type DocumentValidation =
  | { readonly ok: true; readonly document: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Examines a body that is to be stored as a resource of `kind`, and under `id` when the path names one. Plugin configurations are
 * not looked into (`validatePlugins` does that), so a caller that wants all faults at once asks both.
 *
 * On success `document` is a copy of the body plus the scalar defaults of the objects it has; never anything inside `plugins`,
 * never an object or array that was left out. The body itself is not changed.
 */
export function validateDocument(kind: ResourceKind, body: unknown, id?: string): DocumentValidation {
  const identityIssues = id === undefined ? [] : [...kind.checkId(id), ...checkBodyIds(kind, body, id)];
  const validation = kind.validate(body, id);
  if (validation.ok && identityIssues.length === 0) return { ok: true, document: validation.value };
  return { ok: false, issues: [...identityIssues, ...(validation.ok ? [] : validation.issues)] };
}

/** The id in a body must be the one in the path; the texts are APISIX's (`wrong username`, `wrong route id`). */
function checkBodyIds(kind: ResourceKind, body: unknown, id: string): readonly Issue[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return [];
  const fields: ReadonlyMap<string, unknown> = new Map(Object.entries(body));
  return kind.bodyIdFields
    .filter((field) => fields.has(field) && fields.get(field) !== id)
    .map((field) => ({ pointer: `/${field}`, message: kind.idField === 'username' ? 'wrong username' : `wrong ${kind.name} id` }));
}
