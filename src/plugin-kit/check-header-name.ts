import { isFieldName } from '../lib/field-syntax.ts';
import type { Issue } from '../schema/index.ts';

/** What frames a message, belongs to one connection, or is the gateway's own in every answer: no plugin can set these. */
const TAKEN_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'portcullis-request-id',
  'proxy-connection',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What is wrong with a configured name of a header that the plugin sets in answers: each answer would fail. `pointer` is the name's. */
export function checkHeaderName(name: string, pointer: string): readonly Issue[] {
  if (!isFieldName(name)) return [{ pointer, message: 'value must be the name of a header' }];
  return TAKEN_NAMES.has(name.toLowerCase()) ? [{ pointer, message: `the header ${name} is the gateway's own` }] : [];
}
