import type { JsonObject } from '../lib/json.ts';
import { compileValidator, type Validation } from './compile-validator.ts';
import type { Issue } from './issue.ts';
import type { PluginSite } from './plugin-site.ts';
import { isReservedName } from './reserved-names.ts';
import { type Static, type TSchema, Type } from './schema-builder.ts';

export type ResourceKindName = 'service' | 'route' | 'consumer' | 'credential';

/**
 * All that the generic machinery (Admin API, store, distribution) must know of one kind of resource. Documents that are handed
 * to a kind's functions come from its own `validate`.
 */
export interface ResourceKind {
  readonly name: ResourceKindName;
  /** The path segment under `/apisix/admin/` (or under the parent's path). */
  readonly collection: string;
  /** The kind whose id stands before this one's in the path and names a name space. */
  readonly parent: ResourceKindName | undefined;
  readonly schema: TSchema;
  /** The JSON Schema of an id in the path. */
  readonly idSchema: TSchema;
  /** The field that answers show the id in. */
  readonly idField: 'id' | 'username';
  /** Fields of the body that, when present, must equal the id in the path. */
  readonly bodyIdFields: readonly string[];
  /** Which of a plugin's schemas holds in `plugins`. */
  readonly pluginSite: PluginSite;
  /** What is wrong with an id in a path: its pattern, its length, or a name that is reserved. */
  checkId(id: string): readonly Issue[];
  /** Shape, limits and the kind's own checks; on success a copy with the scalar defaults that are stored. Plugins are not looked into. */
  validate(body: unknown): Validation<JsonObject>;
  /** For `warning_msg`: what was accepted, but is served in a simpler way than it asks for. */
  warnings(document: JsonObject): readonly string[];
  /** The resource that takes this one along when it is deleted. It may not exist yet. */
  owner(document: JsonObject, parentId: string): { readonly kind: ResourceKindName; readonly id: string } | undefined;
  /** The document as answers show it: with its id, and what is shown though it is not stored. Times are the caller's. */
  present(document: JsonObject, id: string): JsonObject;
}

/** What a kind is made of; the functions get the schema's own type. */
export interface ResourceKindDefinition<Schema extends TSchema> extends Omit<ResourceKind, 'schema' | 'checkId' | 'validate' | 'warnings'> {
  readonly schema: Schema;
  readonly check?: (document: Static<Schema>) => readonly Issue[];
  readonly warnings?: (document: Static<Schema>) => readonly string[];
}

/** Makes a kind of its definition: compiles the schema once and joins it with the kind's own checks. */
export function defineResourceKind<Schema extends TSchema>(definition: ResourceKindDefinition<Schema>): ResourceKind {
  const matchSchema = compileValidator(definition.schema);
  const matchId = compileValidator(Type.Object({ id: definition.idSchema }));
  const { check, warnings, ...rest } = definition;
  return Object.freeze({
    ...rest,
    checkId: (id: string) => {
      const pointer = `/${definition.idField}`;
      if (isReservedName(id)) return [{ pointer, message: 'this name is not allowed' }];
      const matched = matchId({ id });
      return matched.ok ? [] : matched.issues.map((issue) => ({ pointer, message: issue.message }));
    },
    validate: (body: unknown): Validation<JsonObject> => {
      const matched = matchSchema(body);
      if (!matched.ok || check === undefined) return matched;
      const issues = check(matched.value);
      return issues.length === 0 ? matched : { ok: false, issues };
    },
    warnings: (document: JsonObject) => {
      if (warnings === undefined) return [];
      const matched = matchSchema(document);
      return matched.ok ? warnings(matched.value) : [];
    },
  });
}
