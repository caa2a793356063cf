import type { RandomNumbers } from '../../lib/random-numbers.ts';
import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';

const MOST_LETTERS = 10;
const MOST_ITEMS = 3;
const HIGHEST_NUMBER = 10_000;
const FIRST_LETTER = 97;
const LETTERS = 26;
const THOUSANDTHS = 1000;
/** Arrays in arrays grow by the power of their depth. Beyond so many values nothing more is made up. */
const MAX_VALUES = 10_000;

/** Where made-up values come from. */
interface Source {
  readonly numbers: RandomNumbers;
  valuesLeft: number;
}

/**
 * A value as a schema describes it: `type`, `properties`, `items` and `example`. At the top it is an object, whatever the type says (APISIX
 * mocking). What has no type that could be made up is left out.
 */
export function generateObject(schema: JsonObject, numbers: RandomNumbers): JsonObject {
  return objectOf(schema, { numbers, valuesLeft: MAX_VALUES });
}

function objectOf({ properties }: JsonObject, source: Source): JsonObject {
  const fields: [string, JsonValue][] = [];
  for (const [name, property] of Object.entries(Object(properties))) {
    const value = generate(property, source);
    if (value !== undefined) fields.push([name, value]);
  }
  return Object.fromEntries(fields);
}

function generate(schema: unknown, source: Source): JsonValue | undefined {
  if (typeof schema !== 'object' || schema === null || source.valuesLeft === 0) return undefined;
  source.valuesLeft--;
  // The parsing border: what a schema is made of was JSON.
  const described = schema as JsonObject;
  const { type, example } = described;
  switch (typeof type === 'string' ? type.toLowerCase() : '') {
    case 'string':
      return typeof example === 'string' ? example : letters(source.numbers);
    case 'number':
      return typeof example === 'number' ? example : source.numbers.below(HIGHEST_NUMBER * THOUSANDTHS) / THOUSANDTHS;
    case 'integer':
      return typeof example === 'number' ? Math.floor(example) : source.numbers.below(HIGHEST_NUMBER) + 1;
    case 'boolean':
      return typeof example === 'boolean' ? example : source.numbers.below(2) === 1;
    case 'array':
      return arrayOf(described, source);
    case 'object':
      return objectOf(described, source);
    default:
      return undefined;
  }
}

function arrayOf({ items }: JsonObject, source: Source): JsonValue | undefined {
  if (items === undefined) return undefined;
  const count = source.numbers.below(MOST_ITEMS) + 1;
  const values: JsonValue[] = [];
  for (let index = 0; index < count; index++) {
    const value = generate(items, source);
    if (value !== undefined) values.push(value);
  }
  return values;
}

function letters(numbers: RandomNumbers): string {
  const count = numbers.below(MOST_LETTERS) + 1;
  return String.fromCharCode(...Array.from({ length: count }, () => FIRST_LETTER + numbers.below(LETTERS)));
}
