import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { appendPointer, compileValidator, type Issue, Type } from '../../schema/index.ts';
import { readPattern } from './pattern.ts';

/** What `MatchLabel` compares a label with. */
export type LabelOperator = 'exact_match' | 'contains_string' | 'present';

/** One condition of a statement. */
export type Condition =
  | {
      readonly type: 'MatchLabel';
      readonly options: { readonly key: string; readonly operator: LabelOperator; readonly value?: string };
    }
  | { readonly type: 'AllOfStrings'; readonly options: readonly string[] };

/** One rule: who it concerns is told by the role that the policy is attached to. */
export interface Statement {
  readonly effect: 'allow' | 'deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** All of them must hold. */
  readonly conditions?: Readonly<Record<string, Condition>>;
}

/** The rules of a permission policy, in API7's form. Statements are OR-ed; deny wins over allow. */
export interface PolicyDocument {
  readonly statement: readonly Statement[];
}

/** The names of conditions whose facts this version knows, and their types. */
const CONDITION_TYPES: ReadonlyMap<string, Condition['type']> = new Map([
  ['service_label', 'MatchLabel'],
  ['consumer_label', 'MatchLabel'],
  ['gateway_group_label', 'MatchLabel'],
  ['user_label', 'MatchLabel'],
  ['role_label', 'MatchLabel'],
  ['permission_policy_label', 'MatchLabel'],
  ['permission_boundaries', 'AllOfStrings'],
]);

const patterns = Type.Array(Type.String({ minLength: 1, maxLength: 1_024 }), { minItems: 1, maxItems: 200 });
const statement = Type.Object({
  effect: Type.Unsafe<Statement['effect']>({ type: 'string', enum: ['allow', 'deny'] }),
  actions: patterns,
  resources: patterns,
  conditions: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', maxProperties: 10 })),
});
const validateDocument = compileValidator(Type.Object({ statement: Type.Array(statement, { minItems: 1, maxItems: 100 }) }));
const validateCondition = compileValidator(
  Type.Object({
    type: Type.String(),
    options: Type.Unsafe<JsonValue>({}),
  }),
);
const validateLabelOptions = compileValidator(
  Type.Object({
    key: Type.String({ minLength: 1, maxLength: 65_536 }),
    operator: Type.Unsafe<LabelOperator>({ type: 'string', enum: ['exact_match', 'contains_string', 'present'] }),
    value: Type.Optional(Type.String({ maxLength: 65_536 })),
  }),
);

/** A document that may be stored, or all that is wrong with it. */
export type PolicyValidation =
  | { readonly ok: true; readonly document: PolicyDocument }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Examines a policy document from a request. Pointers start at the document. */
export function validatePolicyDocument(body: unknown): PolicyValidation {
  const validation = validateDocument(body);
  if (!validation.ok) return validation;
  const statements = validation.value.statement;
  const issues = [...checkSize(statements), ...statements.flatMap((one, index) => checkStatement(one, `/statement/${index}`))];
  if (issues.length > 0) return { ok: false, issues };
  // What was checked above is exactly this form.
  return { ok: true, document: { statement: statements as unknown as readonly Statement[] } };
}

/** Every request of whoever has the policy reads through it. */
const MAX_PATTERN_CHARACTERS = 65_536;

function checkSize(statements: readonly UncheckedStatement[]): readonly Issue[] {
  const characters = statements
    .flatMap(({ actions, resources }) => [...actions, ...resources])
    .reduce((sum, { length }) => sum + length, 0);
  if (characters <= MAX_PATTERN_CHARACTERS) return [];
  return [{ pointer: '/statement', message: `actions and resources have at most ${MAX_PATTERN_CHARACTERS} characters together` }];
}

interface UncheckedStatement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: JsonObject;
}

function checkStatement({ actions, resources, conditions = {} }: UncheckedStatement, pointer: string): readonly Issue[] {
  return [
    ...actions.flatMap((action, index) => checkAction(action, `${pointer}/actions/${index}`)),
    ...resources.flatMap((resource, index) => checkResource(resource, `${pointer}/resources/${index}`)),
    ...Object.entries(conditions).flatMap(([name, condition]) =>
      checkCondition(name, condition, appendPointer(`${pointer}/conditions`, name)),
    ),
  ];
}

function checkAction(action: string, pointer: string): readonly Issue[] {
  const pattern = readPattern(action);
  if (pattern !== undefined && /^(\*|(gateway|iam|portal|\*):[A-Za-z*]+)$/.test(pattern)) return [];
  return [{ pointer, message: 'value must be an action such as gateway:GetConsumer, gateway:Get* or *' }];
}

function checkResource(resource: string, pointer: string): readonly Issue[] {
  const pattern = readPattern(resource);
  if (pattern === undefined) return [{ pointer, message: 'value must be a resource name; of regular expressions only <.*> may be used' }];
  if (/^(\*|arn:(api7|\*):\S+|arn:\*)$/.test(pattern)) return [];
  return [{ pointer, message: 'value must be * or begin with arn:api7:' }];
}

function checkCondition(name: string, condition: JsonValue | undefined, pointer: string): readonly Issue[] {
  const wanted = CONDITION_TYPES.get(name);
  if (wanted === undefined) return [{ pointer, message: `this version knows the conditions ${[...CONDITION_TYPES.keys()].join(', ')}` }];
  const validation = validateCondition(condition);
  if (!validation.ok) return validation.issues.map((issue) => ({ ...issue, pointer: `${pointer}${issue.pointer}` }));
  const { type, options } = validation.value;
  if (type !== wanted) return [{ pointer: `${pointer}/type`, message: `value must be ${wanted}` }];
  if (wanted === 'AllOfStrings') return checkStrings(options, `${pointer}/options`);
  const label = validateLabelOptions(options);
  if (!label.ok) return label.issues.map((issue) => ({ ...issue, pointer: `${pointer}/options${issue.pointer}` }));
  if (label.value.operator === 'present' || label.value.value !== undefined) return [];
  return [{ pointer: `${pointer}/options/value`, message: 'property "value" is missing' }];
}

function checkStrings(options: JsonValue, pointer: string): readonly Issue[] {
  if (Array.isArray(options) && options.length <= 100 && options.every((option) => typeof option === 'string')) return [];
  return [{ pointer, message: 'value must be an array of at most 100 strings' }];
}
