import type { TSchema } from '../schema/index.ts';

/** What `isSecretReference` finds, as JSON Schema says it. */
const REFERENCE = { type: 'string', pattern: '^\\$([sS][eE][cC][rR][eE][tT]|[eE][nN][vV])://' } as const;

const SCHEMA_FIELDS: ReadonlySet<string> = new Set(['items', 'contains', 'additionalProperties', 'then', 'else']);
const LIST_FIELDS: ReadonlySet<string> = new Set(['items', 'prefixItems', 'allOf', 'anyOf', 'oneOf']);
const MAP_FIELDS: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'dependentSchemas']);
const TEXT_FIELDS = ['pattern', 'minLength', 'maxLength', 'format'] as const;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The schema that accepts a secret reference wherever the given one accepts some text, and is the same otherwise: fields of other types take
 * no reference, for what is resolved is text, and defaults stay.
 *
 * What `if` and `not` ask is left as it is, so that a reference there counts as what it is written as: a text that equals no constant. A
 * reference in the field by which `oneOf` tells its branches apart fits all of them, and is refused.
 */
export function referenceTolerantSchema(schema: TSchema): TSchema {
  return tolerant(schema as Fields) as TSchema;
}

function tolerant(schema: Fields): Fields {
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, tolerantField(name, value)]));
  if (!admitsText(schema)) return inner;
  const { default: fallback, ...rest } = inner;
  return { ...(fallback === undefined ? {} : { default: fallback }), if: REFERENCE, else: rest };
}

function tolerantField(name: string, value: unknown): unknown {
  if (LIST_FIELDS.has(name) && Array.isArray(value)) return value.map(tolerantOrSame);
  if (SCHEMA_FIELDS.has(name)) return tolerantOrSame(value);
  if (!MAP_FIELDS.has(name) || !isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([field, schema]) => [field, tolerantOrSame(schema)]));
}

function tolerantOrSame(value: unknown): unknown {
  return isFields(value) ? tolerant(value) : value;
}

/** Whether a schema says something of texts and accepts some. */
function admitsText(schema: Fields): boolean {
  const { type, anyOf, oneOf } = schema;
  if (type !== undefined) return type === 'string' || (Array.isArray(type) && type.includes('string'));
  if (Array.isArray(schema.enum)) return schema.enum.some((value) => typeof value === 'string');
  if ('const' in schema) return typeof schema.const === 'string';
  const branches: readonly unknown[] = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : [];
  return branches.some((branch) => isFields(branch) && admitsText(branch)) || TEXT_FIELDS.some((field) => field in schema);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
