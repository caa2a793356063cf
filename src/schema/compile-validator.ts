import { createRequire } from 'node:module';
import type { Ajv } from 'ajv';
import type { JsonObject } from '../lib/json.ts';
import { copyDocument } from './copy-document.ts';
import { describeViolations } from './describe-violation.ts';
import type { Issue } from './issue.ts';
import type { Static, TSchema } from './schema-builder.ts';

/** A document that a schema accepts, as a copy with the schema's scalar defaults; or all that is wrong with it. */
export type Validation<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly issues: readonly Issue[] };

/** Examines any value and never changes it. */
export interface Validator<Value> {
  (body: unknown): Validation<Value>;
  /** By which it examines, for those who describe it. */
  readonly schema: TSchema;
}

/**
 * A validator for a schema of an object. Defaults are written into objects that the document has; an absent object stays absent
 * unless the schema gives it a default of its own. Nothing is coerced, nothing unknown is removed.
 *
 * The schema is compiled at the first use, because a start that examines nothing should not pay for it (10 to 20 ms a schema), and
 * lives as long as the process: for schemas of the product, not for schemas from users.
 */
export function compileValidator<Schema extends TSchema>(schema: Schema): Validator<Static<Schema> & JsonObject> {
  const checkAll = once(() => findsAll().compile<Static<Schema> & JsonObject>(schema));
  const checkFirst = once(() => findsFirst().compile<Static<Schema> & JsonObject>(schema));
  const validate = (body: unknown): Validation<Static<Schema> & JsonObject> => {
    const copied = copyDocument(body);
    if (!copied.ok) return copied;
    const check = copied.valueCount <= MAX_VALUES_FOR_ALL_ISSUES ? checkAll() : checkFirst();
    const document: unknown = copied.copy;
    // Ajv writes defaults even into what it refuses, which is why it only ever sees the copy.
    if (check(document)) return { ok: true, value: document };
    return { ok: false, issues: describeViolations(check.errors ?? []) };
  };
  return Object.assign(validate, { schema });
}

/** A larger document is told its first fault only: one error object for each of a million elements would fill the memory. */
const MAX_VALUES_FOR_ALL_ISSUES = 10_000;

const OPTIONS = {
  useDefaults: true,
  coerceTypes: false,
  removeAdditional: false,
  ownProperties: true,
  strict: true,
  // A minimum next to an optional object, or `required` of a field described elsewhere, is no mistake here.
  strictRequired: false,
} as const;
const findsAll = once(() => makeAjv({ allErrors: true }));
const findsFirst = once(() => makeAjv({ allErrors: false }));

/** Ajv is loaded with the first schema that is compiled: threads that compile none (the gateway's workers) do without it. */
function makeAjv(options: { readonly allErrors: boolean }): Ajv {
  const ajv: typeof import('ajv') = createRequire(import.meta.url)('ajv');
  return new ajv.Ajv({ ...OPTIONS, ...options });
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
