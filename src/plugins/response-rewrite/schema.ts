import { decodeBase64 } from '../../lib/strict-base64.ts';
import { checkVars, type Issue, type JsonObject, type JsonValue, type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { checkHeaders } from './check-headers.ts';
import { compileFilterRegex } from './filter-regex.ts';

/** One replacement in the body. */
export interface BodyRule {
  readonly regex: string;
  readonly replace: string;
  readonly scope: 'once' | 'global';
  readonly options: string;
}

/** The configuration, defaults in place. */
export interface ResponseRewriteConfiguration {
  readonly status_code?: number;
  readonly body?: string;
  readonly body_base64: boolean;
  readonly headers?: JsonObject;
  readonly vars?: readonly JsonValue[];
  readonly filters?: readonly BodyRule[];
  readonly max_resp_body_size: number;
}

const rule = Type.Object({
  regex: Type.String({ minLength: 1, description: 'Regular expression' }),
  replace: Type.String({ description: 'What a match is replaced with; $1 is a capture' }),
  scope: Type.Optional(
    Type.Unsafe<'once' | 'global'>({
      type: 'string',
      enum: ['once', 'global'],
      default: 'once',
      description: 'Replace the first match or all',
    }),
  ),
  options: Type.Optional(
    Type.String({
      default: 'jo',
      description: 'Flags: i ignores case, m and s as in PCRE; j, o and others that change no match are left out',
    }),
  ),
});

/** What can be configured of response-rewrite: fields, limits and defaults of APISIX's plugin. */
export const responseRewriteSchema: PluginSchema = {
  name: 'response-rewrite',
  version: '0.1',
  priority: 899,
  type: 'other',
  schema: Type.Object(
    {
      status_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 598, description: 'New status' })),
      body: Type.Optional(Type.String({ description: 'New body' })),
      body_base64: Type.Optional(Type.Boolean({ default: false, description: 'body is written in base64' })),
      headers: Type.Optional(
        Type.Unsafe<JsonObject>({
          type: 'object',
          description:
            'Headers by action (add: a list of "Name: value"; set: values by name; remove: a list of names), or values by name, which are ' +
            'set. Values may hold variables ($name)',
        }),
      ),
      vars: Type.Optional(
        Type.Unsafe<readonly JsonValue[]>({ type: 'array', description: 'Only answers that meet this expression are changed' }),
      ),
      filters: Type.Optional(Type.Array(rule, { minItems: 1, description: 'Replacements in the body, one after the other' })),
      max_resp_body_size: Type.Optional(
        Type.Integer({ minimum: 1, default: 67_108_864, description: 'Most bytes of a body that filters are applied to' }),
      ),
    },
    { not: { required: ['body', 'filters'] } },
  ),
  secretFields: [],
  identityHeaders: [],
  check: (configuration) => [
    ...checkBody(configuration),
    ...(Array.isArray(configuration.vars) ? checkVars(configuration.vars, '/vars') : []),
    ...checkFilters(configuration.filters),
    ...(isObject(configuration.headers) ? checkHeaders(configuration.headers) : []),
  ],
};

function checkBody({ body, body_base64: isBase64 }: JsonObject): readonly Issue[] {
  if (isBase64 !== true || (typeof body === 'string' && decodeBase64(body) !== undefined)) return [];
  return [{ pointer: '/body', message: 'invalid base64 content' }];
}

function checkFilters(filters: JsonValue | undefined): readonly Issue[] {
  if (!Array.isArray(filters)) return [];
  return filters.flatMap((filter: JsonValue, index) => {
    if (!isObject(filter)) return [];
    const regex = compileFilterRegex(String(filter.regex), String(filter.options));
    if (regex.kind !== 'invalid') return [];
    return [{ pointer: `/filters/${index}/regex`, message: `regex "${filter.regex}" validation failed: ${regex.message}` }];
  });
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
