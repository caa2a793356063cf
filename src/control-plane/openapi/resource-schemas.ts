import type { JsonObject } from '../../lib/json.ts';
import { isJsonObject, type ResourceKind, type TSchema, Type } from '../../schema/index.ts';
import { documentSchema } from './document-schema.ts';
import { schemaRef } from './operation-description.ts';
import { pluginsRef } from './plugin-schemas.ts';

const seconds = (description: string) => Type.Integer({ description: `${description}, in Unix seconds` });

/** `secret_providers` → `SecretProviders`. */
export function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
}

/** What a kind is called among the schemas: `SecretProvider`. */
export function schemaName({ name }: Pick<ResourceKind, 'name'>): string {
  return pascalCase(name);
}

/** What answers show of a kind. */
export function shownRef(kind: ResourceKind): TSchema {
  return schemaRef(kind.form === 'document' ? schemaName(kind) : `Stored${schemaName(kind)}`);
}

/** The answer for one resource, and for a write of it. */
export function valueAnswer(kind: ResourceKind): TSchema {
  return Type.Object({
    value: shownRef(kind),
    warning_msg: Type.Optional(Type.String({ description: 'Something was accepted that may not do what was meant' })),
    dry_run: Type.Optional(Type.Boolean({ description: 'Nothing was stored: this is what would be' })),
  });
}

/** A kind as it is written and as answers show it. `body` replaces the kind's own schema where that says less than is known. */
export function resourceSchemas(kind: ResourceKind, body: TSchema = kind.schema): Readonly<Record<string, TSchema>> {
  const name = schemaName(kind);
  const document = documentSchema(body);
  return {
    [name]: kind.pluginSite === undefined ? document : withProperty(document, 'plugins', { ...pluginsRef(kind.pluginSite) }),
    ...(kind.form === 'document' ? {} : { [`Stored${name}`]: shown(kind, document) }),
  };
}

/** Secrets that are only written are not missed in answers, which have an id and times besides. */
function shown(kind: ResourceKind, document: JsonObject): JsonObject {
  const properties = isJsonObject(document.properties) ? document.properties : {};
  const required = Array.isArray(document.required) ? document.required : [];
  const isWriteOnly = (field: unknown): boolean => {
    const schema = typeof field === 'string' ? properties[field] : undefined;
    return isJsonObject(schema) && schema.writeOnly === true;
  };
  const added = {
    [kind.idField]: documentSchema(kind.idSchema),
    ...Object.fromEntries(kind.answerFields.map((field) => [field, documentSchema(seconds(`${field} of the certificate`))])),
    created_at: documentSchema(seconds('When it was created')),
    updated_at: documentSchema(seconds('When it was last written')),
  };
  return {
    ...document,
    required: [...new Set([...required.filter((field) => !isWriteOnly(field)), kind.idField, 'created_at', 'updated_at'])],
    properties: { ...properties, ...added },
  };
}

function withProperty(schema: JsonObject, name: string, property: JsonObject): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  return { ...schema, properties: { ...properties, [name]: property } };
}
