import type { ErrorObject } from 'ajv';

/** Longer values are cut in what a client is told. */
const MAX_SHOWN = 256;

type Parameters = Readonly<Record<string, unknown>>;

/** Each keyword's text, as api7/jsonschema words it, which APISIX uses; `value` is what the keyword was asked about. */
const TEXTS: ReadonlyMap<string, (params: Parameters, value: unknown) => string> = new Map<
  string,
  (params: Parameters, value: unknown) => string
>([
  ['type', ({ type }, value) => `wrong type: expected ${Array.isArray(type) ? `one of ${type.join(', ')}` : type}, got ${typeName(value)}`],
  ['required', ({ missingProperty }) => `property "${missingProperty}" is required`],
  ['dependencies', ({ property, missingProperty }) => `property "${missingProperty}" is required when "${property}" is set`],
  ['additionalProperties', ({ additionalProperty }) => `additional properties forbidden, found ${shown(additionalProperty)}`],
  ['minProperties', ({ limit }) => `expect object to have at least ${limit} properties`],
  ['maxProperties', ({ limit }) => `expect object to have at most ${limit} properties`],
  ['minItems', ({ limit }) => `expect array to have at least ${limit} items`],
  ['maxItems', ({ limit }) => `expect array to have at most ${limit} items`],
  ['additionalItems', () => 'found unexpected extra items in array'],
  ['uniqueItems', ({ first, second }) => `expected unique items but items ${first} and ${second} are equal`],
  ['contains', () => 'failed to check contains'],
  ['minLength', ({ limit }, value) => `string too short, expected at least ${limit}, got ${characterCount(value)}`],
  ['maxLength', ({ limit }, value) => `string too long, expected at most ${limit}, got ${characterCount(value)}`],
  ['pattern', ({ pattern }, value) => `failed to match pattern ${JSON.stringify(pattern)} with ${JSON.stringify(shown(value))}`],
  ['minimum', ({ limit }, value) => `expected ${value} to be at least ${limit}`],
  ['exclusiveMinimum', ({ limit }, value) => `expected ${value} to be greater than ${limit}`],
  ['maximum', ({ limit }, value) => `expected ${value} to be at most ${limit}`],
  ['exclusiveMaximum', ({ limit }, value) => `expected ${value} to be smaller than ${limit}`],
  ['multipleOf', ({ multipleOf }, value) => `expected ${value} to be a multiple of ${multipleOf}`],
  ['enum', () => 'matches none of the enum values'],
  ['const', () => 'failed to check const value'],
  ['format', ({ format }, value) => `expect valid ${FORMAT_NAMES.get(format) ?? format} but got: ${shown(value)}`],
  ['anyOf', () => 'object matches none of the required'],
  ['oneOf', ({ passingSchemas }) => `value should match only one schema, but matches ${passing(passingSchemas)}`],
  ['not', () => "value wasn't supposed to match schema"],
  ['false schema', () => 'expect false always'],
]);

const FORMAT_NAMES: ReadonlyMap<unknown, string> = new Map([
  ['email', 'email address'],
  ['ipv4', 'ipv4 address'],
  ['ipv6', 'ipv6 address'],
]);

/** What a client is told of the first fault in its data: where it lies, outermost first, and what is wrong there. */
export function describeFault(errors: readonly ErrorObject[], data: unknown): string {
  // What a keyword like anyOf found in its own schemas stands before what it says itself.
  const error = errors.at(-1);
  if (error === undefined) return 'the value does not match the schema';
  let text = '';
  let value = data;
  for (const segment of error.instancePath.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    text += Array.isArray(value) ? `failed to validate item ${Number(name) + 1}: ` : `property "${shown(name)}" validation failed: `;
    value = Object(value)[name];
  }
  if (error.propertyName !== undefined || error.keyword === 'propertyNames') return `${text}the name of a property is not allowed`;
  const params: Parameters = error.params;
  return text + (TEXTS.get(error.keyword)?.(params, value) ?? 'the value does not match the schema');
}

/** As Lua names what JSON is decoded to. */
function typeName(value: unknown): string {
  if (value === null) return 'userdata';
  return typeof value === 'object' ? 'table' : typeof value;
}

function characterCount(value: unknown): number {
  return typeof value === 'string' ? [...value].length : 0;
}

function passing(schemas: unknown): string {
  return Array.isArray(schemas) ? `both schemas ${schemas.map((position) => Number(position) + 1).join(' and ')}` : 'none';
}

function shown(value: unknown): string {
  const text = String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
