import { byteStringOf } from '../../lib/byte-string.ts';
import { isFieldName, isFieldValue } from '../../lib/field-syntax.ts';
import type { Issue, JsonObject, JsonValue } from '../../plugin-kit/index.ts';

/** What frames a message or belongs to one connection is the engine's. */
const ENGINE_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether headers are written with `add`, `set` and `remove`; else they are a plain map of what is set. */
export function isByAction(headers: JsonObject): boolean {
  return ['add', 'set', 'remove'].some((action) => typeof headers[action] === 'object' && headers[action] !== null);
}

/** What is wrong with `headers`, in APISIX's words; pointers begin with `/headers`. */
export function checkHeaders(headers: JsonObject): readonly Issue[] {
  if (!isByAction(headers)) return Object.entries(headers).flatMap(([name, value]) => checkHeader(name, value, '/headers'));
  return Object.entries(headers).flatMap(([action, value]) => {
    const pointer = `/headers/${action}`;
    switch (action) {
      case 'add':
      case 'set':
        return checkMap(value, pointer);
      case 'remove':
        return checkNames(value, pointer);
      default:
        return [{ pointer, message: 'property is unsupported' }];
    }
  });
}

function checkMap(map: JsonValue, pointer: string): readonly Issue[] {
  if (!isObject(map)) return [{ pointer, message: 'value must be an object' }];
  if (Object.keys(map).length === 0) return [{ pointer, message: 'there must be at least 1 properties' }];
  return Object.entries(map).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return checkHeader(name, value, pointer);
    if (value.length === 0) return [{ pointer, message: 'minimum number of items is 1' }];
    return value.flatMap((item: JsonValue) => checkHeader(name, item, pointer));
  });
}

function checkNames(names: JsonValue, pointer: string): readonly Issue[] {
  if (!Array.isArray(names)) return [{ pointer, message: 'value must be an array' }];
  if (names.length === 0) return [{ pointer, message: 'minimum number of items is 1' }];
  return names.flatMap((name: JsonValue, index) =>
    typeof name === 'string' && isFieldName(name) ? [] : [{ pointer: `${pointer}/${index}`, message: 'invalid field character in header' }],
  );
}

function checkHeader(name: string, value: JsonValue, pointer: string): readonly Issue[] {
  const message = headerProblem(name, value);
  return message === undefined ? [] : [{ pointer, message }];
}

function headerProblem(name: string, value: JsonValue): string | undefined {
  if (name === '') return 'invalid field length in header';
  if (typeof value !== 'string' && typeof value !== 'number') return 'invalid type as header value';
  if (!isFieldName(name)) return 'invalid field character in header';
  if (!isFieldValue(byteStringOf(String(value)))) return 'invalid value character in header';
  return ENGINE_NAMES.has(name.toLowerCase()) ? `the header ${name} is the gateway's own` : undefined;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
