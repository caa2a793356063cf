import type { JsonObject } from '../lib/json.ts';

type MutableJson = null | boolean | number | string | MutableJson[] | MutableObject;
interface MutableObject {
  [key: string]: MutableJson;
}
type Container = MutableJson[] | MutableObject;

/** A field of a document and its value as JSON text. */
export interface SecretField {
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly json: string;
}

/** A document as JSON text, parted from its secrets. */
export interface SplitDocument {
  /** The document with `null` where a secret stood, so that the order of its keys stays. */
  readonly text: string;
  /** The document with its secrets left out. */
  readonly publicText: string;
  readonly secrets: readonly SecretField[];
}

/** Parts the fields at `pointers` from a document. A pointer that leads to nothing is passed over; a value of any type is taken out. */
export function splitSecrets(document: JsonObject, pointers: readonly string[]): SplitDocument {
  const text = JSON.stringify(document);
  if (pointers.length === 0) return { text, publicText: text, secrets: [] };
  const copy: MutableObject = JSON.parse(text);
  const secrets: SecretField[] = [];
  for (const pointer of new Set(pointers)) {
    const place = locate(copy, pointer);
    if (place === undefined) continue;
    secrets.push({ pointer, json: JSON.stringify(getChild(place.container, place.step)) });
    setChild(place.container, place.step, null);
  }
  const taken = secrets.map((secret) => secret.pointer);
  return { text: JSON.stringify(copy), publicText: JSON.stringify(omitFields(copy, taken)), secrets };
}

/** Puts secrets back into the text that `splitSecrets` made of the document, and leaves the fields at `leftOut` out of it; elements of arrays close ranks. */
export function joinSecrets(text: string, secrets: readonly SecretField[], leftOut: readonly string[] = []): JsonObject {
  const document: MutableObject = JSON.parse(text);
  // The last one taken out goes back first: a secret may contain the place of one that was taken out before it.
  for (const { pointer, json } of secrets.toReversed()) {
    const place = locate(document, pointer);
    if (place !== undefined) setChild(place.container, place.step, JSON.parse(json));
  }
  return omitFields(document, leftOut);
}

function omitFields(document: MutableObject, pointers: readonly string[]): MutableObject {
  const arrays = new Map<MutableJson[], Set<number>>();
  for (const pointer of pointers) {
    const place = locate(document, pointer);
    if (place === undefined) continue;
    if (Array.isArray(place.container)) {
      const indexes = arrays.get(place.container) ?? new Set();
      arrays.set(place.container, indexes.add(Number(place.step)));
    } else delete place.container[place.step];
  }
  // Arrays are shortened last: before that, the indexes of other pointers still hold.
  for (const [array, indexes] of arrays) {
    for (const index of [...indexes].sort((a, b) => b - a)) array.splice(index, 1);
  }
  return document;
}

function locate(document: MutableObject, pointer: string): { readonly container: Container; readonly step: string } | undefined {
  const steps = pointer.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop();
  if (last === undefined || steps.shift() !== '') throw new TypeError('a secret pointer begins with "/"');
  let node: MutableJson | undefined = document;
  for (const step of steps) {
    if (node === undefined) return undefined;
    node = getChild(node, step);
  }
  if (node === undefined || getChild(node, last) === undefined) return undefined;
  return isContainer(node) ? { container: node, step: last } : undefined;
}

function getChild(node: MutableJson, step: string): MutableJson | undefined {
  if (Array.isArray(node)) return /^(0|[1-9]\d{0,9})$/.test(step) ? node[Number(step)] : undefined;
  return isContainer(node) && Object.hasOwn(node, step) ? node[step] : undefined;
}

// Only ever called for a child that exists: writing to an own property cannot reach a prototype.
function setChild(container: Container, step: string, value: MutableJson): void {
  if (Array.isArray(container)) container[Number(step)] = value;
  else container[step] = value;
}

function isContainer(node: MutableJson): node is Container {
  return typeof node === 'object' && node !== null;
}
