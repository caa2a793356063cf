import type { JsonObject, JsonValue } from '../lib/json.ts';
import { NOT_RESERVED_PATTERN } from './reserved-names.ts';
import { Type } from './schema-builder.ts';

/** Longest name, description and label value, in characters (code points), as API7's OpenAPI document has it. */
const MAX_TEXT_CHARACTERS = 65_536;

/** A resource stands in one list for each of its labels: 256 labels cost a write some milliseconds, 30,000 a second. */
export const MAX_LABELS = 256;

/** The id of any resource but a consumer, chosen by the client. The reserved names are refused where ids are checked. */
export const idField = Type.String({ minLength: 1, maxLength: 256, pattern: '^[a-zA-Z0-9-_.]+$' });

export const nameField = Type.String({ minLength: 1, maxLength: MAX_TEXT_CHARACTERS });

export const descriptionField = Type.String({ maxLength: MAX_TEXT_CHARACTERS });

/** Label → text. `custom_id` on a consumer reaches the upstream as `X-Consumer-Custom-ID`. */
export const labelsField = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  maxProperties: MAX_LABELS,
  propertyNames: { pattern: NOT_RESERVED_PATTERN },
  additionalProperties: { type: 'string', minLength: 1, maxLength: MAX_TEXT_CHARACTERS, pattern: '^.+$' },
});

/** Plugin name → configuration. What the configurations hold is the plugins' business; no default is ever written into them. */
export const pluginsField = Type.Unsafe<Readonly<Record<string, JsonValue>>>({
  type: 'object',
  propertyNames: { pattern: NOT_RESERVED_PATTERN },
});

/** 1: in force, 0: switched off. No default: clients compare what they wrote with what they read. */
export const statusField = Type.Unsafe<0 | 1>({ type: 'integer', enum: [0, 1] });

/** Seconds, whole and above zero. Each time-out that is left out of a given object is 60. */
export const timeoutField = Type.Object({
  connect: Type.Optional(Type.Integer({ exclusiveMinimum: 0, default: 60 })),
  send: Type.Optional(Type.Integer({ exclusiveMinimum: 0, default: 60 })),
  read: Type.Optional(Type.Integer({ exclusiveMinimum: 0, default: 60 })),
});

/** A host name, or one with a leading `*` that stands for any beginning: API7's OpenAPI document, hosts of a service. */
export const hostPatternField = Type.String({ minLength: 1, pattern: '^\\*?[0-9a-zA-Z-._]+$' });

/** Certificates in PEM form, or a reference to them. */
export const pemField = Type.String({ minLength: 1, maxLength: MAX_TEXT_CHARACTERS });

/** A private key in PEM form, which is in no answer, or a reference to one. */
export const privateKeyField = Type.String({ minLength: 1, maxLength: MAX_TEXT_CHARACTERS, writeOnly: true });

/** Fields that every resource may have. */
export const describingFields = {
  desc: Type.Optional(descriptionField),
  labels: Type.Optional(labelsField),
} as const;

/** A field of free shape that is stored and given back. */
export const freeObjectField = Type.Unsafe<JsonObject>({ type: 'object' });
