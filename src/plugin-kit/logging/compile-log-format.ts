import { byteStringOf } from '../../lib/byte-string.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { VariableValue } from '../variable-value.ts';
import { textOfByteString } from './text-of-byte-string.ts';

/** A text that is known only when an entry is written out. */
export interface LateText {
  toJSON(): string;
}

/** An entry in the making, or an object in it: its keys are users' text. */
export interface LogMembers {
  [name: string]: JsonValue | LateText | LogMembers;
}

/** What a variable is for an entry. */
export type LogVariable = VariableValue | LateText;

/** A log format that is ready to be filled. */
export interface CompiledLogFormat {
  /** The variables it reads, without `$`. */
  readonly variables: ReadonlySet<string>;
  /** A new object; a member whose variable is absent is left out. */
  fill(variable: ReadLogVariable): LogMembers;
}

/** Objects nested more deeply are empty (APISIX, `log-util`). */
const MAX_DEPTH = 5;

/** Gives a variable by its name without `$`. */
export type ReadLogVariable = (name: string) => LogVariable;

type Member = readonly [name: string, fill: (variable: ReadLogVariable) => LogMembers[string] | undefined];

/**
 * Compiles a log format (APISIX, `log_format`): a member whose value begins with `$` is a variable as a whole, other texts and numbers are
 * copied, objects nest.
 */
export function compileLogFormat(format: JsonObject): CompiledLogFormat {
  const variables = new Set<string>();
  const members = compileMembers(format, 1, variables);
  return { variables, fill: (variable) => fillMembers(members, variable) };
}

/** An object that any text may be a key of. */
export function emptyMembers(): LogMembers {
  return Object.create(null);
}

/** A variable as it stands in JSON. */
function jsonOfVariable(value: LogVariable): JsonValue | LateText | undefined {
  if (typeof value === 'string') return textOfByteString(value);
  return isList(value) ? value.map(textOfByteString) : value;
}

function compileMembers(format: JsonObject, depth: number, variables: Set<string>): readonly Member[] {
  if (depth > MAX_DEPTH) return [];
  return Object.entries(format).map(([name, value]): Member => {
    if (typeof value === 'string' && value.startsWith('$')) {
      const variableName = byteStringOf(value.slice(1));
      variables.add(variableName);
      return [name, (variable) => jsonOfVariable(variable(variableName))];
    }
    if (typeof value === 'object' && value !== null && !isList(value)) {
      const inner = compileMembers(value, depth + 1, variables);
      return [name, (variable) => fillMembers(inner, variable)];
    }
    return [name, () => value];
  });
}

function isList<Element>(value: readonly Element[] | unknown): value is readonly Element[] {
  return Array.isArray(value);
}

function fillMembers(members: readonly Member[], variable: ReadLogVariable): LogMembers {
  const filled = emptyMembers();
  for (const [name, fill] of members) {
    const value = fill(variable);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}
