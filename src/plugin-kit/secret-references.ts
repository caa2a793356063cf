import type { JsonObject, JsonValue } from '../lib/json.ts';
import { appendPointer, type Issue, isSecretReference, parseSecretReference } from '../schema/index.ts';

export { isSecretReference } from '../schema/index.ts';

/** No document that was accepted is deeper. */
const MAX_DEPTH = 64;

/** What a reference stands for; undefined while that is not known. */
export type ValueOfReference = (reference: string) => string | undefined;

/** Calls `visit` for each secret reference in a plugin's configuration, those in `_meta` among them. */
export function forEachSecretReference(configuration: JsonValue, visit: (reference: string, pointer: string) => void): void {
  walk(configuration, '', 0, visit);
}

export function hasSecretReferences(configuration: JsonValue): boolean {
  return contains(configuration, 0);
}

/** What is wrong with the references in a configuration: those that name nothing that could ever be found. */
export function checkSecretReferences(configuration: JsonValue): readonly Issue[] {
  const issues: Issue[] = [];
  forEachSecretReference(configuration, (reference, pointer) => {
    const parsed = parseSecretReference(reference);
    if (!parsed.ok) issues.push({ pointer, message: parsed.problem });
  });
  return issues;
}

/**
 * The issues that are about something else than a reference. No rule for a field's text can be judged by a reference to it, and APISIX
 * skips such rules as well.
 */
export function issuesBesideReferences(configuration: JsonValue, issues: readonly Issue[]): readonly Issue[] {
  if (issues.length === 0) return issues;
  const pointers = new Set<string>();
  forEachSecretReference(configuration, (_reference, pointer) => pointers.add(pointer));
  return issues.filter((issue) => !pointers.has(issue.pointer));
}

/** The same configuration with what its references stand for. Those that are not known stay as they are; without any it is the same object. */
export function resolveSecretReferences<Value extends JsonValue>(configuration: Value, lookUp: ValueOfReference): Value {
  // What replaces a text is a text, so the shape stays.
  return resolve(configuration, lookUp, 0) as Value;
}

function contains(value: JsonValue, depth: number): boolean {
  if (typeof value === 'string') return isSecretReference(value);
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  return Object.values(value).some((field) => contains(field, depth + 1));
}

function walk(value: JsonValue, pointer: string, depth: number, visit: (reference: string, pointer: string) => void): void {
  if (typeof value === 'string') {
    if (isSecretReference(value)) visit(value, pointer);
    return;
  }
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  for (const [name, field] of Object.entries(value)) {
    if (typeof field === 'string' || typeof field === 'object') walk(field, appendPointer(pointer, name), depth + 1, visit);
  }
}

function resolve(value: JsonValue, lookUp: ValueOfReference, depth: number): JsonValue {
  if (typeof value === 'string') return isSecretReference(value) ? (lookUp(value) ?? value) : value;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) {
    const elements = value.map((element) => resolve(element, lookUp, depth + 1));
    return elements.some((element, index) => element !== value[index]) ? elements : value;
  }
  return resolveObject(value as JsonObject, lookUp, depth);
}

function resolveObject(value: JsonObject, lookUp: ValueOfReference, depth: number): JsonObject {
  let changed = false;
  const fields = Object.entries(value).map(([name, field]): [string, JsonValue] => {
    const resolved = resolve(field, lookUp, depth + 1);
    if (resolved !== field) changed = true;
    return [name, resolved];
  });
  return changed ? Object.fromEntries(fields) : value;
}
