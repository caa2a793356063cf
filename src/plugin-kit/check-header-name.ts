import { isFieldName } from '../lib/field-syntax.ts';
import type { Issue } from '../schema/index.ts';
import { ENGINE_FIELDS } from './engine-fields.ts';

/** What is wrong with a configured name of a header that the plugin sets in answers: each answer would fail. `pointer` is the name's. */
export function checkHeaderName(name: string, pointer: string): readonly Issue[] {
  if (!isFieldName(name)) return [{ pointer, message: 'value must be the name of a header' }];
  return ENGINE_FIELDS.has(name.toLowerCase()) ? [{ pointer, message: `the header ${name} is the gateway's own` }] : [];
}
