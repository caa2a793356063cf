import { createRequire } from 'node:module';
import { isIPv4, isIPv6 } from 'node:net';
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';
import { compileRegex } from '../../expression/index.ts';
import { byteStringOf } from '../../lib/byte-string.ts';
import type { JsonValue } from '../../plugin-kit/index.ts';
import { describeFault } from './describe-fault.ts';
import { prepareSchema, STEP_KEYWORD } from './prepare-schema.ts';
import { equalItems } from './unique-items.ts';

/** A JSON Schema of a user's, ready to be asked. */
export interface CompiledSchema {
  readonly kind: 'schema';
  /** What is wrong with the data, or undefined; writes the schema's defaults into it. */
  findFault(data: unknown): string | undefined;
}

/**
 * Compiles a JSON Schema that a user wrote. Patterns take linear time, `uniqueItems` too, and no reference leads out of the schema; what
 * does not compile is invalid, with a text that says why.
 */
export function compileSchema(schema: JsonValue): CompiledSchema | { readonly kind: 'invalid'; readonly message: string } {
  const prepared = prepareSchema(schema);
  if (prepared.kind === 'invalid') return prepared;
  let validate: ValidateFunction;
  try {
    const problem = metaProblem(prepared.schema);
    if (problem !== undefined) return { kind: 'invalid', message: problem };
    validate = makeAjv().compile(prepared.schema);
  } catch (error) {
    return { kind: 'invalid', message: error instanceof Error ? error.message : String(error) };
  }
  return { kind: 'schema', findFault: (data) => findFault(validate, data) };
}

/**
 * So often may schemas be asked about one value: a tenth of a second or so. A few references that lead to each other can make it any number,
 * and so can data in which a schema with many alternatives is nested.
 */
const MAX_STEPS = 5_000_000;

let steps = 0;

/** Thrown and caught in this file only. */
class TooManySteps extends Error {}

function countStep(): void {
  if (++steps > MAX_STEPS) throw new TooManySteps();
}

function findFault(validate: ValidateFunction, data: unknown): string | undefined {
  steps = 0;
  try {
    return validate(data) ? undefined : describeFault(validate.errors ?? [], data);
  } catch (error) {
    if (error instanceof TooManySteps) return 'the value takes too long to validate';
    if (error instanceof RangeError) return 'the value is nested too deeply';
    throw error;
  }
}

const BASE_OPTIONS = { strict: false, logger: false } as const;

/** Compiles one schema and is thrown away: what Ajv keeps of it goes with the plugin's state. */
function makeAjv(): Ajv {
  const ajv = new (loadAjv().Ajv)({
    ...BASE_OPTIONS,
    meta: false,
    validateSchema: false,
    useDefaults: true,
    ownProperties: true,
    unicodeRegExp: false,
    multipleOfPrecision: 9,
    // Optimising takes longer than compiling, and compiling happens where requests are served.
    code: { regExp: safeRegex, optimize: false },
    formats: {
      email: /^[A-Za-z0-9_\-.]+@[A-Za-z0-9_\-.]+\.[A-Za-z]{2,4}$/,
      ipv4: isIPv4,
      ipv6: isIPv6,
      hostname: /^[a-zA-Z0-9\-.]+$/,
    },
  });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({ keyword: STEP_KEYWORD, code: ({ gen }) => void gen.code(loadAjv()._`${gen.scopeValue('func', { ref: countStep })}()`) });
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', errors: true, validate: validateUniqueItems });
  return ajv;
}

interface KeywordFunction {
  (wanted: boolean, items: readonly unknown[]): boolean;
  errors?: Partial<ErrorObject>[];
}

const validateUniqueItems: KeywordFunction = (wanted, items) => {
  const equal = wanted ? equalItems(items) : undefined;
  if (equal === undefined) return true;
  const [first, second] = equal;
  validateUniqueItems.errors = [{ keyword: 'uniqueItems', params: { first: first + 1, second: second + 1 } }];
  return false;
};

/** Ajv tells patterns apart by what `toString` gives. */
const safeRegex = Object.assign(
  (pattern: string) => {
    const regex = compileRegex(pattern);
    if (regex.kind === 'invalid') throw new Error(`the pattern ${JSON.stringify(pattern)} is invalid: ${regex.message}`);
    return { test: (text: string) => regex.test(byteStringOf(text)), toString: () => `safe ${pattern}` };
  },
  { code: 'safeRegex' },
);

let metaAjv: Ajv | undefined;

/** What is wrong with a schema by the rules of JSON Schema itself. */
function metaProblem(schema: object): string | undefined {
  metaAjv ??= new (loadAjv().Ajv)({ ...BASE_OPTIONS });
  if (metaAjv.validateSchema(schema) === true) return undefined;
  return metaAjv.errorsText(metaAjv.errors, { dataVar: 'schema' });
}

let ajvModule: typeof import('ajv') | undefined;

/** Loaded with the first schema: threads that compile none do without it. */
function loadAjv(): typeof import('ajv') {
  const loaded: typeof import('ajv') = ajvModule ?? createRequire(import.meta.url)('ajv');
  ajvModule = loaded;
  return loaded;
}
