import { checkHeaderName, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place. */
export interface ApiBreakerConfiguration {
  readonly break_response_code: number;
  readonly break_response_body?: string;
  readonly break_response_headers?: readonly { readonly key: string; readonly value: string }[];
  readonly max_breaker_sec: number;
  readonly unhealthy: { readonly http_statuses: readonly number[]; readonly failures: number };
  readonly healthy: { readonly http_statuses: readonly number[]; readonly successes: number };
}

/** What can be configured of api-breaker: fields, limits and defaults of APISIX's plugin. */
export const apiBreakerSchema: PluginSchema = {
  name: 'api-breaker',
  version: '0.1',
  priority: 1005,
  type: 'other',
  schema: Type.Object({
    break_response_code: Type.Integer({ minimum: 200, maximum: 599, description: 'Status of requests while the upstream is spared' }),
    break_response_body: Type.Optional(Type.String({ description: 'Body of that answer' })),
    break_response_headers: Type.Optional(
      Type.Array(
        Type.Object({
          key: Type.String({ minLength: 1, description: 'Name of a header' }),
          value: Type.String({ minLength: 1, description: 'Its value; may hold variables' }),
        }),
        { description: 'Headers of that answer; sent only with a body' },
      ),
    ),
    max_breaker_sec: Type.Optional(
      Type.Integer({ minimum: 3, default: 300, description: 'Longest time in seconds that the upstream is spared' }),
    ),
    unhealthy: Type.Optional(
      Type.Object(
        {
          http_statuses: Type.Optional(
            Type.Array(Type.Integer({ minimum: 500, maximum: 599 }), {
              minItems: 1,
              uniqueItems: true,
              default: [500],
              description: 'Statuses of the upstream that are failures',
            }),
          ),
          failures: Type.Optional(Type.Integer({ minimum: 1, default: 3, description: 'With so many failures the upstream is spared' })),
        },
        { default: { http_statuses: [500], failures: 3 }, description: 'When the upstream is spared' },
      ),
    ),
    healthy: Type.Optional(
      Type.Object(
        {
          http_statuses: Type.Optional(
            Type.Array(Type.Integer({ minimum: 200, maximum: 499 }), {
              minItems: 1,
              uniqueItems: true,
              default: [200],
              description: 'Statuses of the upstream that are successes',
            }),
          ),
          successes: Type.Optional(
            Type.Integer({ minimum: 1, default: 3, description: 'With so many successes all failures are forgotten' }),
          ),
        },
        { default: { http_statuses: [200], successes: 3 }, description: 'When the upstream counts as well again' },
      ),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
  check: ({ break_response_headers: headers }) =>
    namesOf(headers).flatMap((name, index) => checkHeaderName(name, `/break_response_headers/${index}/key`)),
};

function namesOf(headers: JsonObject[string] | undefined): readonly string[] {
  return Array.isArray(headers) ? headers.map((header) => String(Object(header).key)) : [];
}
