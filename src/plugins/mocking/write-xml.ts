import type { JsonValue } from '../../plugin-kit/index.ts';

const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** What a name may begin with and go on with (XML 1.0 §2.3), as far as names in ASCII go. */
const NAME_START = /^[A-Za-z_]/;
const NOT_IN_NAMES = /[^A-Za-z0-9_.\-\u00b7-\uffff]/g;

/** A value as XML: one element with this name, an element for each field in it; an array is one element for each of its values. */
export function writeXML(name: string, value: JsonValue): string {
  if (isArray(value)) return value.map((item) => writeXML(name, item)).join('');
  const tag = elementName(name);
  if (typeof value !== 'object' || value === null) return `<${tag}>${escapeText(String(value))}</${tag}>`;
  const fields = Object.entries(value).map(([field, inner]) => writeXML(field, inner));
  return `<${tag}>${fields.join('')}</${tag}>`;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => ESCAPED[character] ?? character);
}

function elementName(name: string): string {
  const cleaned = name.replace(NOT_IN_NAMES, '_');
  return NAME_START.test(cleaned) ? cleaned : `_${cleaned}`;
}
