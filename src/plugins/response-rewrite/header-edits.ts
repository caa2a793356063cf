import { compileTemplate, type Template, type VariableSource } from '../../expression/index.ts';
import { escapeFieldValue } from '../../lib/uri-escape.ts';
import type { JsonObject, JsonValue, ResponseHead } from '../../plugin-kit/index.ts';
import { isByAction } from './check-headers.ts';

interface HeaderTemplate {
  readonly name: string;
  readonly value: Template;
}

/** What is done to the headers of an answer, in this order. */
export interface HeaderEdits {
  readonly add: readonly HeaderTemplate[];
  readonly set: readonly HeaderTemplate[];
  readonly remove: readonly string[];
}

/** Compiles `headers` as `checkHeaders` has accepted them. */
export function compileHeaderEdits(headers: JsonObject): HeaderEdits {
  if (!isByAction(headers)) return { add: [], set: templatesOf(headers), remove: [] };
  const { add, set, remove } = headers;
  return {
    add: Array.isArray(add) ? add.map(addedTemplate) : [],
    set: templatesOf(set),
    remove: Array.isArray(remove) ? remove.map((name) => String(name).toLowerCase()) : [],
  };
}

/** Applies the edits; a value is a template, and control characters in it are percent-encoded. */
export function applyHeaderEdits(response: ResponseHead, { add, set, remove }: HeaderEdits, source: VariableSource): void {
  for (const { name, value } of add) response.addHeader(name, escapeFieldValue(value.expand(source).text));
  for (const { name, value } of set) response.setHeader(name, escapeFieldValue(value.expand(source).text));
  for (const name of remove) response.removeHeader(name);
}

function addedTemplate(line: JsonValue): HeaderTemplate {
  const [name = '', value = ''] = String(line).split(':');
  return { name: name.trim(), value: compileTemplate(value.trim()) };
}

function templatesOf(map: JsonValue | undefined): readonly HeaderTemplate[] {
  return Object.entries(Object(map)).map(([name, value]) => ({ name, value: compileTemplate(String(value)) }));
}
