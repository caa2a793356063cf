import {
  checkHeaderName,
  checkVars,
  type Issue,
  type JsonObject,
  type JsonValue,
  type PluginSchema,
  Type,
} from '../../plugin-kit/index.ts';

/** When a fault happens: on this share of the requests that one of the expressions holds for. */
export interface FaultCondition {
  readonly percentage?: number;
  readonly vars?: readonly JsonValue[];
}

export interface AbortConfiguration extends FaultCondition {
  readonly http_status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
}

export interface DelayConfiguration extends FaultCondition {
  /** Seconds. */
  readonly duration: number;
}

/** The configuration; one of the two at least. */
export interface FaultInjectionConfiguration {
  readonly abort?: AbortConfiguration;
  readonly delay?: DelayConfiguration;
}

/** No answer can have a higher one. */
const HIGHEST_STATUS = 599;

const percentage = Type.Optional(
  Type.Integer({ minimum: 0, maximum: 100, description: 'Share of the requests that meet it, in per cent; without it all of them' }),
);
const vars = Type.Optional(
  Type.Unsafe<readonly JsonValue[]>({
    type: 'array',
    items: { type: 'array' },
    maxItems: 20,
    description: 'Expressions of which one must hold; without it all requests meet it, with an empty list none',
  }),
);

/** What can be configured of fault-injection: fields, limits and defaults of APISIX's plugin. */
export const faultInjectionSchema: PluginSchema = {
  name: 'fault-injection',
  version: '0.1',
  priority: 11_000,
  type: 'other',
  schema: Type.Object(
    {
      abort: Type.Optional(
        Type.Object(
          {
            http_status: Type.Integer({ minimum: 200, description: 'Status of the answer, at most 599' }),
            body: Type.Optional(Type.String({ description: 'Body of the answer; variables are filled in' })),
            headers: Type.Optional(
              Type.Unsafe<Readonly<Record<string, string | number>>>({
                type: 'object',
                minProperties: 1,
                propertyNames: { pattern: '^[^:]+$' },
                additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
                description: 'Headers of the answer; variables are filled in',
              }),
            ),
            percentage,
            vars,
          },
          { description: 'Answer requests in place of the upstream' },
        ),
      ),
      delay: Type.Optional(
        Type.Object(
          { duration: Type.Number({ minimum: 0, description: 'How long a request waits, in seconds' }), percentage, vars },
          { description: 'Let requests wait' },
        ),
      ),
    },
    { minProperties: 1 },
  ),
  secretFields: [],
  identityHeaders: [],
  check: ({ abort, delay }) => [
    ...checkAbort(Object(abort)),
    ...checkRules(Object(abort), '/abort'),
    ...checkRules(Object(delay), '/delay'),
  ],
};

function checkAbort({ http_status: status, headers }: JsonObject): readonly Issue[] {
  const names = Object.keys(Object(headers)).flatMap((name) => checkHeaderName(name, '/abort/headers'));
  if (typeof status !== 'number' || status <= HIGHEST_STATUS) return names;
  return [{ pointer: '/abort/http_status', message: `value must be <= ${HIGHEST_STATUS}` }, ...names];
}

function checkRules({ vars: rules }: JsonObject, pointer: string): readonly Issue[] {
  return Array.isArray(rules) ? rules.flatMap((rule: JsonValue, index) => checkVars(rule, `${pointer}/vars/${index}`)) : [];
}
