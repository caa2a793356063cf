import { byteStringOf } from '../../lib/byte-string.ts';
import { isFieldName, isFieldValue } from '../../lib/field-syntax.ts';
import { checkHeaderName, type Issue, type JsonObject, type JsonValue } from '../../plugin-kit/index.ts';

/** APISIX: one colon, something behind it, no slash at the end. */
const ADDED = /^[^:]+:[^:]+[^/]$/;

/** Whether headers are written with `add`, `set` and `remove`; else they are a plain map of what is set. */
export function isByAction(headers: JsonObject): boolean {
  return ['add', 'set', 'remove'].some((action) => typeof headers[action] === 'object' && headers[action] !== null);
}

/** What is wrong with `headers`, in APISIX's words; pointers begin with `/headers`. */
export function checkHeaders(headers: JsonObject): readonly Issue[] {
  if (!isByAction(headers)) return checkMap(headers, '/headers');
  return [
    ...checkList(headers.add, '/headers/add', checkAdded),
    ...(headers.set === undefined ? [] : checkMap(headers.set, '/headers/set')),
    ...checkList(headers.remove, '/headers/remove', checkRemoved),
  ];
}

function checkMap(map: JsonValue, pointer: string): readonly Issue[] {
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return [{ pointer, message: 'value must be an object' }];
  const entries = Object.entries(map);
  if (entries.length === 0) return [{ pointer, message: 'there must be at least 1 properties' }];
  return entries.flatMap(([name, value]) => checkHeader(name, value, pointer));
}

function checkHeader(name: string, value: JsonValue, pointer: string): readonly Issue[] {
  if (name === '') return [{ pointer, message: 'invalid field length in header' }];
  if (typeof value !== 'string' && typeof value !== 'number') return [{ pointer, message: 'invalid type as header value' }];
  if (!isFieldValue(byteStringOf(String(value)))) return [{ pointer, message: 'invalid value character in header' }];
  return checkHeaderName(name, pointer);
}

type CheckItem = (item: JsonValue, pointer: string) => readonly Issue[];

function checkList(list: JsonValue | undefined, pointer: string, checkItem: CheckItem): readonly Issue[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) return [{ pointer, message: 'value must be an array' }];
  if (list.length === 0) return [{ pointer, message: 'minimum number of items is 1' }];
  return list.flatMap((item: JsonValue, index) => checkItem(item, `${pointer}/${index}`));
}

function checkAdded(line: JsonValue, pointer: string): readonly Issue[] {
  if (typeof line !== 'string' || !ADDED.test(line)) return [{ pointer, message: 'value must be "Name: value" with one colon' }];
  const [name = '', value = ''] = line.split(':');
  return checkHeader(name.trim(), value.trim(), pointer);
}

function checkRemoved(name: JsonValue, pointer: string): readonly Issue[] {
  return typeof name === 'string' && isFieldName(name) ? [] : [{ pointer, message: 'invalid field character in header' }];
}
