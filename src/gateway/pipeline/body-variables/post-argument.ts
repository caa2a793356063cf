import { byteStringOf } from '../../../lib/byte-string.ts';
import type { JsonValue } from '../../../lib/json.ts';
import type { QueryPair, VariableValue } from '../../../plugin-kit/index.ts';
import { isJsonObject } from '../../../schema/index.ts';

/** The first field of this name (byte string) in a form; empty for a name without `=`. */
export function formArgument(fields: readonly QueryPair[], name: string): VariableValue {
  const field = fields.find((each) => each.name === name);
  return field === undefined ? undefined : (field.value ?? '');
}

const STEP = /^(?:\.?([^.[\]]+)|\[(\d+|\*)\])/;

/**
 * What a path like `a.b`, `a.b[0]` or `a.b[*].c` (byte string) leads to in a JSON body: a text, a number, or with `*` the list of all that it
 * leads to. Objects, lists and null are no values; nothing else of JSONPath is understood.
 */
export function jsonArgument(body: JsonValue, path: string): VariableValue {
  let found: readonly JsonValue[] = [body];
  let isList = false;
  for (let rest = path; rest !== ''; ) {
    const step = STEP.exec(rest);
    if (step === null) return undefined;
    const [text, name, index] = step;
    rest = rest.slice(text.length);
    isList ||= name === '*' || index === '*';
    found = found.flatMap((value) => follow(value, name, index));
  }
  const values = found.flatMap((value) => scalarOf(value) ?? []);
  return isList ? values.map(String) : values[0];
}

function follow(value: JsonValue, name: string | undefined, index: string | undefined): readonly JsonValue[] {
  if (name === '*' || index === '*') return Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
  if (index !== undefined) return Array.isArray(value) ? (value[Number(index)] ?? []) : [];
  if (!isJsonObject(value)) return [];
  const key = Buffer.from(name ?? '', 'latin1').toString('utf8');
  const field = Object.hasOwn(value, key) ? value[key] : undefined;
  return field === undefined ? [] : [field];
}

function scalarOf(value: JsonValue): string | number | undefined {
  if (typeof value === 'string') return byteStringOf(value);
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' ? value : undefined;
}
