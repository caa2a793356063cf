import type { JsonObject } from '../lib/json.ts';
import { compileValidator, type Validation } from './compile-validator.ts';
import { isJsonObject } from './copy-document.ts';
import { MAX_LABELS } from './fields.ts';
import type { Issue } from './issue.ts';
import type { PluginSite } from './plugin-site.ts';
import { isReservedName } from './reserved-names.ts';
import { type Static, type TSchema, Type } from './schema-builder.ts';

export type ResourceKindName =
  | 'service'
  | 'upstream'
  | 'route'
  | 'stream_route'
  | 'consumer'
  | 'credential'
  | 'ssl'
  | 'certificate'
  | 'ca_certificate'
  | 'sni'
  | 'global_rule'
  | 'plugin_metadata'
  | 'proto'
  | 'secret_provider'
  | 'gateway_group';

/** Another resource of the group that a document names. */
export interface ResourceReference {
  readonly kind: ResourceKindName;
  readonly id: string;
}

/**
 * All that the generic machinery (Admin API, store, distribution) must know of one kind of resource. Documents that are handed
 * to a kind's functions come from its own `validate`.
 */
export interface ResourceKind {
  readonly name: ResourceKindName;
  /** The path segment under `/apisix/admin/` (or under the parent's path). */
  readonly collection: string;
  /** What the collection is called elsewhere; its paths work too. */
  readonly otherCollections: readonly string[];
  /** How an id stands in a path: `:id`, or several segments that are joined by `/`. */
  readonly idPath: string;
  /** The kind whose id stands before this one's in the path and names a name space. */
  readonly parent: ResourceKindName | undefined;
  readonly schema: TSchema;
  /** The JSON Schema of an id in the path. */
  readonly idSchema: TSchema;
  /** The field that answers show the id in. */
  readonly idField: 'id' | 'username';
  /** Fields of the body that, when present, must equal the id in the path. */
  readonly bodyIdFields: readonly string[];
  /** Which of a plugin's schemas holds in `plugins`; undefined for kinds whose `plugins` means nothing. */
  readonly pluginSite: PluginSite | undefined;
  /** Fields that answers show of what is not stored, besides id and times; sent back, they are dropped. */
  readonly answerFields: readonly string[];
  /** Whether POST on the list creates one, under an id that the server makes up where the body has none. */
  readonly isCreatable: boolean;
  /** False: lists are never narrowed by labels, because such resources have none. */
  readonly isLabelled: boolean;
  /** Whether lists can be ordered by name. */
  readonly isSortedByName: boolean;
  /**
   * How answers show it. `resource`: with its id and times, and a list is an array. `document`: exactly as it was written, and a list is
   * one object of documents by id.
   */
  readonly form: 'resource' | 'document';
  /** What is wrong with an id in a path: its pattern, its length, or a name that is reserved. */
  checkId(id: string): readonly Issue[];
  /**
   * Shape, limits and the kind's own checks; on success a copy with the scalar defaults that are stored. Plugins are not looked into.
   * `id` is the one in the path, where there is one.
   */
  validate(body: unknown, id?: string): Validation<JsonObject>;
  /**
   * For `warning_msg`: what was accepted, but is served in a simpler way than it asks for. Where `nowMs` (wall clock) is absent, nothing is
   * said of what depends on it.
   */
  warnings(document: JsonObject, nowMs?: number): readonly string[];
  /** JSON pointers of the texts that are encrypted at rest and never given back, besides those inside `plugins`. */
  secretPointers(document: JsonObject): readonly string[];
  /** What only one resource of a group may have, besides the keys inside `plugins`; the space says what it is. */
  uniqueValues(document: JsonObject): readonly { readonly space: string; readonly value: string }[];
  /** The resource that takes this one along when it is deleted. It may not exist yet. */
  owner(document: JsonObject, parentId: string): ResourceReference | undefined;
  /** Resources without which this one does not work. They may not exist yet, and are not deleted while this one names them. */
  references(document: JsonObject): readonly ResourceReference[];
  /** The id that a document gives itself where no path and no id field does. */
  ownId(document: JsonObject): string | undefined;
  /** The document as answers show it: with its id, and what is shown though it is not stored. Times are the caller's. */
  present(document: JsonObject, id: string): JsonObject;
}

/** What a kind is made of; the functions get the schema's own type. */
export interface ResourceKindDefinition<Schema extends TSchema> extends Pick<ResourceKind, RequiredPart>, Partial<typeof USUAL> {
  readonly schema: Schema;
  readonly check?: (document: Static<Schema> & JsonObject, id: string | undefined) => readonly Issue[];
  readonly warnings?: (document: Static<Schema>, nowMs: number | undefined) => readonly string[];
}

type RequiredPart = 'name' | 'collection' | 'parent' | 'idSchema' | 'idField' | 'bodyIdFields' | 'pluginSite' | 'present';

type UsualPart =
  | 'otherCollections'
  | 'idPath'
  | 'answerFields'
  | 'isCreatable'
  | 'isLabelled'
  | 'isSortedByName'
  | 'form'
  | 'secretPointers'
  | 'uniqueValues'
  | 'owner'
  | 'references'
  | 'ownId';

/** What holds for a kind that says nothing else. */
const USUAL: Pick<ResourceKind, UsualPart> = {
  otherCollections: [],
  idPath: ':id',
  answerFields: [],
  isCreatable: true,
  isLabelled: true,
  isSortedByName: false,
  form: 'resource',
  secretPointers: () => [],
  uniqueValues: () => [],
  owner: () => undefined,
  references: () => [],
  ownId: () => undefined,
};

/** Makes a kind of its definition: compiles the schema once and joins it with the kind's own checks. */
export function defineResourceKind<Schema extends TSchema>(definition: ResourceKindDefinition<Schema>): ResourceKind {
  const matchSchema = compileValidator(definition.schema);
  const matchId = compileValidator(Type.Object({ id: definition.idSchema }));
  const { check, warnings, ...rest } = definition;
  return Object.freeze({
    ...USUAL,
    ...rest,
    checkId: (id: string) => {
      const pointer = `/${definition.idField}`;
      if (isReservedName(id) || isDotSegment(id)) return [{ pointer, message: 'this name is not allowed' }];
      const matched = matchId({ id });
      return matched.ok ? [] : matched.issues.map((issue) => ({ pointer, message: issue.message }));
    },
    validate: (body: unknown, id?: string): Validation<JsonObject> => {
      const matched = matchSchema(body);
      if (!matched.ok) return matched;
      const issues = [...issuesOfLabels(matched.value), ...(check?.(matched.value, id) ?? [])];
      return issues.length === 0 ? matched : { ok: false, issues };
    },
    warnings: (document: JsonObject, nowMs?: number) => {
      if (warnings === undefined) return [];
      const matched = matchSchema(document);
      return matched.ok ? warnings(matched.value, nowMs) : [];
    },
  });
}

/** No client could name it: a URL ends without such a segment, however it is written (WHATWG URL, section 4.4). */
function isDotSegment(id: string): boolean {
  return id === '.' || id === '..';
}

/** Lists are narrowed by whatever stands in `labels`, also where the kind's schema knows no such field. */
function issuesOfLabels({ labels }: JsonObject): readonly Issue[] {
  if (!isJsonObject(labels) || Object.keys(labels).length <= MAX_LABELS) return [];
  return [{ pointer: '/labels', message: `there must be at most ${MAX_LABELS} properties` }];
}
