import { compileTemplate, type Template } from '../../expression/index.ts';
import { escapeFieldValue } from '../../lib/uri-escape.ts';
import type { JsonObject, JsonValue, RequestView } from '../../plugin-kit/index.ts';
import { isByAction } from './check-headers.ts';

/** Captures of a regular expression, the whole match first. */
export type Captures = readonly (string | undefined)[];

interface HeaderTemplate {
  readonly name: string;
  readonly values: readonly Template[];
}

/** What is done to the headers of a request, in this order. */
export interface HeaderEdits {
  readonly add: readonly HeaderTemplate[];
  readonly set: readonly HeaderTemplate[];
  readonly remove: readonly string[];
}

/** Names that are left alone: the upstream's Host is another field's business. */
const HOST = 'host';

/** Compiles `headers` as `checkHeaders` has accepted them. */
export function compileHeaderEdits(headers: JsonObject): HeaderEdits {
  if (!isByAction(headers)) return { add: [], set: templatesOf(headers), remove: [] };
  const { add, set, remove } = headers;
  const removed = Array.isArray(remove) ? remove.map((name) => String(name).toLowerCase()) : [];
  return { add: templatesOf(add), set: templatesOf(set), remove: removed.filter((name) => name !== HOST) };
}

/** Applies the edits; a value is a template with captures, and control characters in it are percent-encoded. */
export function applyHeaderEdits(request: RequestView, { add, set, remove }: HeaderEdits, captures: Captures | undefined): void {
  const expand = (template: Template): string => escapeFieldValue(template.expand(request, undefined, captures).text);
  for (const { name, values } of add) for (const value of values) request.addHeader(name, expand(value));
  for (const { name, values } of set) {
    for (const [index, value] of values.entries()) {
      if (index === 0) request.setHeader(name, expand(value));
      else request.addHeader(name, expand(value));
    }
  }
  for (const name of remove) request.removeHeader(name);
}

function templatesOf(map: JsonValue | undefined): readonly HeaderTemplate[] {
  return Object.entries(Object(map))
    .filter(([name]) => name.toLowerCase() !== HOST)
    .map(([name, value]) => ({
      name,
      values: (Array.isArray(value) ? value : [value]).map((text) => compileTemplate(String(text), { captures: true })),
    }));
}
