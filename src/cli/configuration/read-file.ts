import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { StartError } from '../../errors/index.ts';
import { SETTINGS } from './settings.ts';
import { suggestion } from './suggestion.ts';

/** Where a value stands, and its text. */
export interface RawValue {
  readonly text: string;
  readonly origin: string;
}

/**
 * Reads `portcullis.yaml`: one mapping from setting to value.
 *
 * @throws StartError naming file and line for broken YAML, an unknown key (with the nearest known one) or a value that is no scalar or list.
 */
export function readConfigurationFile(file: string): ReadonlyMap<string, RawValue> {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, schema: 'failsafe' });
  const at = (node: { readonly range?: readonly number[] | null | undefined } | null): string =>
    node?.range ? `${file}:${lines.linePos(node.range[0] ?? 0).line}` : file;
  const [problem] = document.errors;
  if (problem !== undefined)
    throw new StartError(`${file}:${lines.linePos(problem.pos[0]).line} is not valid YAML: ${firstLine(problem.message)}`);
  const values = new Map<string, RawValue>();
  if (document.contents === null) return values;
  if (!isMap(document.contents)) throw new StartError(`${at(document.contents)} must hold lines of the form "setting: value".`);
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const origin = `${isScalar(key) ? at(key) : file}: "${name}"`;
    if (!SETTINGS.some((setting) => setting.name === name)) throw unknownKey(origin, name);
    values.set(name, { text: textOf(value as Node | null, origin), origin });
  }
  return values;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`The configuration file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
}

function textOf(value: Node | null, origin: string): string {
  if (isScalar(value)) return value.value === null ? '' : String(value.value);
  if (isSeq(value)) return value.items.map((item) => textOf(item as Node | null, origin)).join(',');
  throw new StartError(`${origin} must have a plain value.`);
}

function unknownKey(origin: string, name: string): StartError {
  const near = suggestion(
    name,
    SETTINGS.map((setting) => setting.name),
  );
  return new StartError(
    `${origin} is not a setting${near === undefined ? '' : `; did you mean "${near}"`}${near === undefined ? '.' : '?'}`,
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
