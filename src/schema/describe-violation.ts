import type { ErrorObject } from 'ajv';
import { appendPointer, type Issue } from './issue.ts';

const TYPE_PHRASES: ReadonlyMap<unknown, string> = new Map([
  ['string', 'a string'],
  ['integer', 'an integer'],
  ['number', 'a number'],
  ['boolean', 'a boolean'],
  ['array', 'an array'],
  ['object', 'an object'],
  ['null', 'null'],
]);

type Parameters = Readonly<Record<string, unknown>>;

/** The wording of each JSON Schema keyword, as kin-openapi words it. Parameters come from the schema, never from the document. */
const MESSAGES: ReadonlyMap<string, (params: Parameters) => string> = new Map<string, (params: Parameters) => string>([
  ['type', (params) => `value must be ${phraseOfType(params.type)}`],
  ['enum', (params) => `value is not one of the allowed values ${JSON.stringify(params.allowedValues)}`],
  ['const', (params) => `value is not one of the allowed values ${JSON.stringify([params.allowedValue])}`],
  ['minLength', (params) => `minimum string length is ${params.limit}`],
  ['maxLength', (params) => `maximum string length is ${params.limit}`],
  ['pattern', (params) => `string doesn't match the regular expression "${params.pattern}"`],
  ['minimum', (params) => `number must be at least ${params.limit}`],
  ['maximum', (params) => `number must be at most ${params.limit}`],
  ['exclusiveMinimum', (params) => `number must be more than ${params.limit}`],
  ['exclusiveMaximum', (params) => `number must be less than ${params.limit}`],
  ['minItems', (params) => `minimum number of items is ${params.limit}`],
  ['maxItems', (params) => `maximum number of items is ${params.limit}`],
  ['uniqueItems', () => 'duplicate items found'],
  ['minProperties', (params) => `there must be at least ${params.limit} properties`],
  ['maxProperties', (params) => `there must be at most ${params.limit} properties`],
  ['anyOf', () => 'doesn\'t match any schema from "anyOf"'],
  ['oneOf', () => 'doesn\'t match exactly one schema from "oneOf"'],
  ['not', () => 'value is not allowed'],
]);

/** Keywords that hold schemas of which not all must be met. */
const BRANCHING: ReadonlySet<string> = new Set(['oneOf', 'anyOf']);
/** Keywords that are asked only of values of their type. */
const LIMITS: ReadonlySet<string> = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength']);

/** What Ajv found, as issues: one per fault, without the follow-up errors of a wrong type, of a refused name and of `then` and `else`. */
export function describeViolations(all: readonly ErrorObject[]): readonly Issue[] {
  const errors = withoutOtherBranches(all);
  const wrongType = new Set(errors.filter((error) => error.keyword === 'type').map((error) => error.instancePath));
  return errors
    .filter(
      (error) =>
        error.propertyName === undefined && error.keyword !== 'if' && (error.keyword === 'type' || !wrongType.has(error.instancePath)),
    )
    .map(describeViolation);
}

/** A value that has the type of one branch is judged by that branch: nobody needs to hear that it has not the type of the others. */
function withoutOtherBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const branching = new Set(errors.filter(({ keyword }) => BRANCHING.has(keyword)).map(({ instancePath }) => instancePath));
  if (branching.size === 0) return errors;
  const limits = errors.filter(({ keyword, instancePath }) => LIMITS.has(keyword) && branching.has(instancePath));
  const judged = new Set(limits.map(({ instancePath }) => instancePath));
  return errors.filter(({ keyword, instancePath }) => !judged.has(instancePath) || (keyword !== 'type' && !BRANCHING.has(keyword)));
}

function describeViolation(error: ErrorObject): Issue {
  const params: Parameters = error.params;
  const parent = shortened(error.instancePath);
  switch (error.keyword) {
    case 'required':
      return { pointer: appendPointer(parent, `${params.missingProperty}`), message: `property "${params.missingProperty}" is missing` };
    case 'additionalProperties':
      return { pointer: appendPointer(parent, `${params.additionalProperty}`), message: 'property is unsupported' };
    case 'propertyNames':
      return { pointer: appendPointer(parent, `${params.propertyName}`), message: 'this name is not allowed' };
    default:
      return { pointer: parent, message: MESSAGES.get(error.keyword)?.(params) ?? 'value is not allowed' };
  }
}

function phraseOfType(type: unknown): string {
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.map((name) => TYPE_PHRASES.get(name) ?? 'something else').join(' or ');
}

/** Ajv has escaped the segments already; only their length is bounded here. */
function shortened(instancePath: string): string {
  if (instancePath.length <= 128) return instancePath;
  return instancePath
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((pointer, segment, index) => (index === 0 ? '' : appendPointer(pointer, segment)), '');
}
