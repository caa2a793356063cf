import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { isJsonObject } from '../../../schema/index.ts';
import { type Html, html, proseHtml } from './html.ts';

const REFERENCE = '#/components/schemas/';
/** Keywords that are shown beside the type as they are. */
const LIMITS = [
  ...['enum', 'const', 'default', 'pattern', 'format', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum'],
  ...['exclusiveMaximum', 'minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'writeOnly'],
] as const;
const ALTERNATIVES = [
  ['oneOf', 'one of'],
  ['anyOf', 'any of'],
  ['allOf', 'all of'],
] as const;

/** A schema of the document for readers: its fields as a list, references as links to where they are shown. */
export function renderSchema(schema: JsonObject): Html {
  return html`${headOf(schema)}${bodyOf(schema)}`;
}

/** The anchor of a schema on the page. */
export function schemaAnchor(name: string): string {
  return `schema-${name}`;
}

function headOf(schema: JsonObject): Html {
  if (typeof schema.$ref === 'string') return linkTo(schema.$ref);
  const limits = LIMITS.flatMap((keyword) => {
    const value = schema[keyword];
    return value === undefined ? [] : [html` <span class="limit">${keyword} <code>${JSON.stringify(value)}</code></span>`];
  });
  const title = typeof schema.title === 'string' ? html`<b>${schema.title}</b> ` : html``;
  const about = typeof schema.description === 'string' ? html` <span class="about">${proseHtml(schema.description)}</span>` : html``;
  return html`${title}<span class="type">${typeOf(schema)}</span>${limits}${about}`;
}

function typeOf(schema: JsonObject): Html {
  const { type, items, additionalProperties } = schema;
  if (type === 'array' && isJsonObject(items)) return html`array of ${isPlain(items) ? headOf(items) : html`…`}`;
  if (isJsonObject(additionalProperties) && schema.properties === undefined) {
    return html`object of ${isPlain(additionalProperties) ? headOf(additionalProperties) : html`…`}`;
  }
  return html`${Array.isArray(type) ? type.join(' or ') : typeof type === 'string' ? type : ''}`;
}

function bodyOf(schema: JsonObject): Html {
  const { items, additionalProperties } = schema;
  const inner = [items, additionalProperties].flatMap((each) =>
    isJsonObject(each) && !isPlain(each) ? [html`<ul><li>${renderSchema(each)}</li></ul>`] : [],
  );
  const alternatives = ALTERNATIVES.flatMap(([keyword, words]) => {
    const list = schema[keyword];
    if (!Array.isArray(list)) return [];
    const shown = list.flatMap((each: JsonValue) => (isJsonObject(each) ? [html`<li>${renderSchema(each)}</li>`] : []));
    return [html`<div class="alternatives">${words}<ul>${shown}</ul></div>`];
  });
  const conditions = ['if', 'then', 'else', 'not'].flatMap((keyword) => {
    const each = schema[keyword];
    return isJsonObject(each) ? [html`<div class="alternatives">${keyword} ${renderSchema(each)}</div>`] : [];
  });
  return html`${fieldsOf(schema)}${inner}${alternatives}${conditions}`;
}

function fieldsOf({ properties, required }: JsonObject): Html {
  if (!isJsonObject(properties) || Object.keys(properties).length === 0) {
    return Array.isArray(required) && required.length > 0 ? html` <span class="limit">with ${required.join(', ')}</span>` : html``;
  }
  const needed = new Set<unknown>(Array.isArray(required) ? required : []);
  const fields = Object.entries(properties).map(([name, field]) => {
    const mark = needed.has(name) ? html` <span class="required">required</span>` : html``;
    return html`<li><code class="field">${name}</code>${mark} ${isJsonObject(field) ? renderSchema(field) : html``}</li>`;
  });
  return html`<ul class="fields">${fields}</ul>`;
}

/** Whether a schema is told in one line. */
function isPlain(schema: JsonObject): boolean {
  return (
    schema.$ref !== undefined ||
    !['properties', 'items', 'additionalProperties', 'oneOf', 'anyOf', 'allOf'].some(
      (name) => isJsonObject(schema[name]) || Array.isArray(schema[name]),
    )
  );
}

function linkTo(reference: string): Html {
  const name = reference.startsWith(REFERENCE) ? reference.slice(REFERENCE.length) : reference;
  return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
}
