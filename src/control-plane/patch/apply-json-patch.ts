import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { appendPointer, formatIssues, isJsonObject } from '../../schema/index.ts';
import { parsePointer } from './json-pointer.ts';
import { isMutableObject, type MutableJson, mutableCopy, sameJson } from './mutable-json.ts';
import { PatchBudget, refusePatch } from './patch-budget.ts';

const MAX_OPERATIONS = 10_000;
const ARRAY_INDEX = /^(?:0|[1-9][0-9]{0,9})$/;

/** Where one operation stands, and what it works on. */
interface Step {
  readonly operation: JsonObject;
  /** The operation's place in the patch, e.g. `/3`. */
  readonly pointer: string;
  readonly budget: PatchBudget;
}

/** The document behind one name, so that the whole of it has a container too. */
interface Root {
  document: MutableJson;
}

type Container = MutableJson[] | { [name: string]: MutableJson };

/**
 * The document after all operations of a JSON Patch (RFC 6902), or none of them. The document given is not changed. Reserved names in
 * paths are refused, and so is what would grow the document without measure.
 *
 * @throws PortcullisError 400 that names the operation by its JSON pointer in the patch; 409 for a `test` that finds something else
 */
export function applyJsonPatch(document: JsonObject, patch: readonly JsonValue[]): JsonValue {
  if (patch.length > MAX_OPERATIONS) throw refusePatch('', `maximum number of items is ${MAX_OPERATIONS}`);
  const budget = new PatchBudget();
  const root: Root = { document: mutableCopy(document) };
  patch.forEach((operation, index) => {
    const pointer = appendPointer('', index);
    if (!isJsonObject(operation)) throw refusePatch(pointer, 'value must be an object');
    applyOperation(root, { operation, pointer, budget });
  });
  return root.document;
}

function applyOperation(root: Root, step: Step): void {
  const { operation, pointer } = step;
  const name = ownField(operation, 'op');
  const path = pathOf(step, 'path');
  switch (name) {
    case 'add':
      insert(root, path, operandOf(step), step);
      break;
    case 'replace':
      read(root, path, step, 'path');
      put(root, path, operandOf(step), step);
      break;
    case 'remove':
      remove(root, path, step, 'path');
      break;
    case 'test':
      if (!sameJson(read(root, path, step, 'path'), operandOf(step))) throw failedTest(pointer);
      break;
    case 'copy': {
      const value = read(root, pathOf(step, 'from'), step, 'from');
      step.budget.spend(value, path.length, pointer);
      insert(root, path, mutableCopy(value), step);
      break;
    }
    case 'move':
      move(root, path, step);
      break;
    default:
      throw refusePatch(`${pointer}/op`, 'value is not one of the allowed values ["add","remove","replace","move","copy","test"]');
  }
}

function move(root: Root, path: readonly string[], step: Step): void {
  const from = pathOf(step, 'from');
  if (from.length < path.length && from.every((segment, index) => segment === path[index]))
    throw refusePatch(`${step.pointer}/path`, 'a value cannot be moved into itself');
  const value = remove(root, from, step, 'from');
  step.budget.spend(value, path.length, step.pointer);
  insert(root, path, value, step);
}

function failedTest(pointer: string): PortcullisError {
  const publicMessage = formatIssues([{ pointer, message: 'the tested value is another one' }]);
  return new PortcullisError('admin_conflict', { publicMessage });
}

function pathOf({ operation, pointer }: Step, field: 'path' | 'from'): readonly string[] {
  const text = ownField(operation, field);
  if (text === undefined) throw refusePatch(`${pointer}/${field}`, `property "${field}" is missing`);
  if (typeof text !== 'string') throw refusePatch(`${pointer}/${field}`, 'value must be a string');
  const parsed = parsePointer(text);
  if (!parsed.ok) throw refusePatch(`${pointer}/${field}`, parsed.problem);
  return parsed.segments;
}

function operandOf({ operation, pointer, budget }: Step): MutableJson {
  const value = ownField(operation, 'value');
  if (value === undefined) throw refusePatch(`${pointer}/value`, 'property "value" is missing');
  const copy = mutableCopy(value);
  budget.spend(copy, 0, pointer);
  return copy;
}

function read(root: Root, path: readonly string[], step: Step, field: 'path' | 'from'): MutableJson {
  let value: MutableJson | undefined = root.document;
  for (const segment of path) value = value === undefined ? undefined : childOf(value, segment);
  if (value === undefined) throw refusePatch(`${step.pointer}/${field}`, 'there is nothing at this path');
  return value;
}

/** `add` of RFC 6902, section 4.1: between the elements of an array, over the member of an object. */
function insert(root: Root, path: readonly string[], value: MutableJson, step: Step): void {
  const last = path.at(-1);
  if (last === undefined) {
    root.document = value;
    return;
  }
  const container = containerOf(root, path, step);
  if (!Array.isArray(container)) {
    container[last] = value;
    return;
  }
  const index = last === '-' ? container.length : ARRAY_INDEX.test(last) ? Number(last) : -1;
  if (index < 0 || index > container.length) throw refusePatch(`${step.pointer}/path`, 'there is no such place in the array');
  step.budget.spendShift(container.length - index, step.pointer);
  container.splice(index, 0, value);
}

/** Over what is there already. */
function put(root: Root, path: readonly string[], value: MutableJson, step: Step): void {
  const last = path.at(-1);
  if (last === undefined) {
    root.document = value;
    return;
  }
  const container = containerOf(root, path, step);
  if (Array.isArray(container)) container[Number(last)] = value;
  else container[last] = value;
}

function remove(root: Root, path: readonly string[], step: Step, field: 'path' | 'from'): MutableJson {
  const value = read(root, path, step, field);
  const last = path.at(-1);
  if (last === undefined) throw refusePatch(`${step.pointer}/${field}`, 'the whole document cannot be removed');
  const container = containerOf(root, path, step);
  if (Array.isArray(container)) {
    step.budget.spendShift(container.length - Number(last), step.pointer);
    container.splice(Number(last), 1);
  } else delete container[last];
  return value;
}

function containerOf(root: Root, path: readonly string[], step: Step): Container {
  const container = read(root, path.slice(0, -1), step, 'path');
  if (Array.isArray(container) || isMutableObject(container)) return container;
  throw refusePatch(`${step.pointer}/path`, 'there is nothing at this path');
}

function childOf(value: MutableJson, segment: string): MutableJson | undefined {
  if (Array.isArray(value)) return ARRAY_INDEX.test(segment) ? value[Number(segment)] : undefined;
  return isMutableObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

function ownField(operation: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(operation, name) ? operation[name] : undefined;
}
