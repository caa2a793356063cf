import { isIP } from 'node:net';
import { byteStringOf } from '../lib/byte-string.ts';
import type { JsonValue } from '../lib/json.ts';
import { networkList } from '../lib/network-list.ts';
import type { NetworkSet } from '../lib/network-set.ts';
import { InvalidExpression } from './invalid-expression.ts';
import { readNumber } from './read-number.ts';
import { compileRegex } from './safe-regex.ts';
import type { VariableValue } from './variable-source.ts';

/** Whether the value of a variable meets a term. */
export type Condition = (value: VariableValue) => boolean;

/** The operators by their names in lower case (api7/lua-resty-expr). `operand` is undefined where the term ends with its operator. */
const OPERATORS: ReadonlyMap<string, (operand: JsonValue | undefined) => Condition> = new Map([
  ['==', equals],
  ['~=', differs],
  ['>', (operand) => compareNumbers(operand, (value, bound) => value > bound)],
  ['>=', (operand) => compareNumbers(operand, (value, bound) => value >= bound)],
  ['<', (operand) => compareNumbers(operand, (value, bound) => value < bound)],
  ['<=', (operand) => compareNumbers(operand, (value, bound) => value <= bound)],
  ['~~', (operand) => matches(operand, false)],
  ['~*', (operand) => matches(operand, true)],
  ['in', isOneOf],
  ['has', holds],
  ['ipmatch', isInNetworks],
]);

export function isOperator(name: string): boolean {
  return OPERATORS.has(name);
}

/**
 * The condition of one operator, whose name is in lower case.
 * @throws InvalidExpression for an unknown operator, and for an operand that it can do nothing with
 */
export function compileCondition(operator: string, operand: JsonValue | undefined): Condition {
  const compile = OPERATORS.get(operator);
  if (compile === undefined) throw new InvalidExpression(`invalid operator '${operator}'`);
  return compile(operand);
}

/** A number is compared as a number, and what is none is not equal; a text as it is; null is equal to "the request has none". */
function equals(operand: JsonValue | undefined): Condition {
  if (operand === null || operand === undefined) return (value) => value === undefined;
  if (typeof operand === 'number') return (value) => readNumber(value) === operand;
  if (typeof operand !== 'string') return () => false;
  const text = byteStringOf(operand);
  return (value) => value === text || (typeof value === 'number' && String(value) === text);
}

function differs(operand: JsonValue | undefined): Condition {
  const equal = equals(operand);
  return (value) => !equal(value);
}

/** Both sides are converted; false where that fails. */
function compareNumbers(operand: JsonValue | undefined, compare: (value: number, bound: number) => boolean): Condition {
  const bound = readNumber(operand);
  if (bound === undefined) return () => false;
  return (value) => {
    const number = readNumber(value);
    return number !== undefined && compare(number, bound);
  };
}

function matches(operand: JsonValue | undefined, ignoreCase: boolean): Condition {
  if (typeof operand !== 'string' && typeof operand !== 'number')
    throw new InvalidExpression('invalid regular expression: it must be a text');
  const regex = compileRegex(String(operand), { ignoreCase });
  if (regex.kind === 'invalid') throw new InvalidExpression(`invalid regular expression '${operand}': ${regex.message}`);
  return (value) => {
    if (typeof value === 'string') return regex.test(value);
    return typeof value === 'number' && regex.test(String(value));
  };
}

/** The elements are compared as they are: a text is never equal to a number. */
function isOneOf(operand: JsonValue | undefined): Condition {
  if (!Array.isArray(operand)) return () => false;
  const elements = new Set<VariableValue>();
  for (const element of operand) {
    if (typeof element === 'string') elements.add(byteStringOf(element));
    else if (typeof element === 'number') elements.add(element);
  }
  return (value) => value !== undefined && (elements.has(value) || (typeof value === 'number' && elements.has(String(value))));
}

function holds(operand: JsonValue | undefined): Condition {
  if (typeof operand !== 'string') return () => false;
  const text = byteStringOf(operand);
  return (value) => typeof value === 'object' && value.includes(text);
}

function isInNetworks(operand: JsonValue | undefined): Condition {
  const texts = Array.isArray(operand) ? operand : [operand];
  if (texts.length === 0 || operand === '' || operand === null || operand === undefined) throw new InvalidExpression('invalid ip address');
  const networks = readNetworks(texts);
  return (value) => {
    if (typeof value !== 'string') return false;
    const family = isIP(value);
    return family !== 0 && networks.has(value);
  };
}

function readNetworks(texts: readonly (JsonValue | undefined)[]): NetworkSet {
  try {
    const list = networkList(texts.map(textOfNetwork));
    if (list !== undefined) return list;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new InvalidExpression(`invalid ip address: ${texts.find((text) => !isNetwork(text))}`);
}

function textOfNetwork(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new InvalidExpression(`invalid ip address: ${String(value)}`);
  return value;
}

function isNetwork(value: JsonValue | undefined): boolean {
  try {
    return networkList([textOfNetwork(value)]) !== undefined;
  } catch {
    return false;
  }
}
