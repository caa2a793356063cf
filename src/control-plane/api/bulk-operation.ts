import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { type Issue, isJsonObject, RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { ResourceKey } from '../../store/index.ts';

/** What one operation of a bulk is to do. */
export interface BulkOperation {
  /** Its place in the bulk, from 0. */
  readonly index: number;
  readonly method: 'put' | 'patch' | 'delete';
  readonly kind: ResourceKind;
  readonly key: ResourceKey;
  /** Null for a delete. */
  readonly body: JsonValue;
  /** The values of the headers of the same meaning. */
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** An operation that can be understood, or what is wrong with it; pointers begin at the operation. */
export type ReadOperation =
  | { readonly ok: true; readonly operation: BulkOperation }
  | { readonly ok: false; readonly issues: readonly Issue[] };

const FIELDS: readonly string[] = ['kind', 'parent', 'id', 'method', 'body', 'if_match', 'if_none_match'];
const METHODS: readonly BulkOperation['method'][] = ['put', 'patch', 'delete'];
const KINDS = RESOURCE_KINDS.map(({ name }) => name).join(', ');

/** Reads one operation. Its body is not looked into. */
export function readBulkOperation(value: JsonValue, index: number, groupId: string): ReadOperation {
  if (!isJsonObject(value)) return { ok: false, issues: [{ pointer: '', message: 'value must be an object' }] };
  const kind = RESOURCE_KINDS.find(({ name }) => name === value.kind);
  const method = METHODS.find((each) => each === (value.method ?? 'put'));
  const issues = [...issuesOfFields(value), ...(kind === undefined ? [oneOf(value, 'kind', KINDS)] : issuesOfName(value, kind))];
  if (method === undefined) issues.push(oneOf(value, 'method', METHODS.join(', ')));
  else issues.push(...issuesOfBody(value, method));
  if (kind === undefined || method === undefined || issues.length > 0) return { ok: false, issues };
  const key = { groupId, kind: kind.name, parentId: textOf(value.parent) ?? '', id: textOf(value.id) ?? '' };
  const conditions = { ifMatch: tagOf(value.if_match), ifNoneMatch: tagOf(value.if_none_match) };
  return { ok: true, operation: { index, method, kind, key, body: value.body ?? null, ...conditions } };
}

function issuesOfFields(value: JsonObject): Issue[] {
  const unknown = Object.keys(value).filter((name) => !FIELDS.includes(name));
  const tags = ['if_match', 'if_none_match'].filter((name) => value[name] !== undefined && tagOf(value[name]) === undefined);
  return [
    ...(unknown.length === 0 ? [] : [{ pointer: '', message: `an operation has the fields ${FIELDS.join(', ')} and no others` }]),
    ...tags.map((name) => ({ pointer: `/${name}`, message: 'value must be an entity tag or a revision' })),
  ];
}

function issuesOfName({ parent, id }: JsonObject, kind: ResourceKind): readonly Issue[] {
  return [...issuesOfParent(parent, kind), ...issuesOfId('/id', id, kind), ...issuesOfInnerUpstream(parent, id, kind)];
}

function issuesOfParent(parent: JsonValue | undefined, kind: ResourceKind): readonly Issue[] {
  const parentKind = RESOURCE_KINDS.find(({ name }) => name === kind.parent);
  if (parentKind !== undefined) return issuesOfId('/parent', parent, parentKind);
  return parent === undefined ? [] : [{ pointer: '/parent', message: `a ${kind.name} has no parent` }];
}

function issuesOfId(pointer: string, id: JsonValue | undefined, kind: ResourceKind): readonly Issue[] {
  if (id === undefined) return [{ pointer, message: `property "${pointer.slice(1)}" is missing` }];
  if (typeof id !== 'string') return [{ pointer, message: 'value must be a string' }];
  return kind.checkId(id).map(({ message }) => ({ pointer, message }));
}

function issuesOfInnerUpstream(parent: JsonValue | undefined, id: JsonValue | undefined, kind: ResourceKind): readonly Issue[] {
  if (kind.name !== 'upstream' || id !== parent || typeof id !== 'string') return [];
  return [{ pointer: '/id', message: 'an upstream with the id of its service is the one inside the service: write the service' }];
}

function issuesOfBody(value: JsonObject, method: BulkOperation['method']): readonly Issue[] {
  const hasBody = Object.hasOwn(value, 'body');
  if (method === 'delete') return hasBody ? [{ pointer: '/body', message: 'a delete has no body' }] : [];
  return hasBody ? [] : [{ pointer: '/body', message: 'property "body" is missing' }];
}

function oneOf(value: JsonObject, name: string, names: string): Issue {
  const isMissing = !Object.hasOwn(value, name);
  return { pointer: `/${name}`, message: isMissing ? `property "${name}" is missing` : `value must be one of ${names}` };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A revision stands for the tag that answers show of it. */
function tagOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? `"${value}"` : textOf(value);
}
