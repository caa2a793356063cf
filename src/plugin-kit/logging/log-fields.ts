import { compileExpression } from '../../expression/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { type Issue, Type } from '../../schema/index.ts';

/** What loggers have in common, defaults in place: APISIX's loggers. */
export interface LogConfiguration {
  readonly log_format?: JsonObject;
  readonly log_format_extra?: JsonObject;
  readonly include_req_body: boolean;
  readonly include_req_body_expr?: readonly JsonValue[];
  readonly include_resp_body: boolean;
  readonly include_resp_body_expr?: readonly JsonValue[];
  readonly max_req_body_bytes: number;
  readonly max_resp_body_bytes: number;
}

/** How entries are gathered and sent: APISIX's batch processor. Times are seconds. */
export interface BatchConfiguration {
  readonly name: string;
  readonly batch_max_size: number;
  readonly inactive_timeout: number;
  readonly buffer_duration: number;
  readonly max_retry_count: number;
  readonly retry_delay: number;
}

const DEFAULT_MAX_BODY_BYTES = 524_288;

function expressionField(description: string) {
  return Type.Unsafe<readonly JsonValue[]>({ type: 'array', minItems: 1, items: { type: 'array' }, description });
}

const logFormatField = Type.Unsafe<JsonObject>({
  type: 'object',
  description: 'The entry: members whose value begins with $ are variables. Replaces the default entry',
});
const logFormatExtraField = Type.Unsafe<JsonObject>({
  type: 'object',
  description: 'Members added to the default entry; not used together with log_format',
});

/** Fields of every logger's configuration. */
export const LOG_FIELDS = Object.freeze({
  log_format: Type.Optional(logFormatField),
  log_format_extra: Type.Optional(logFormatExtraField),
  include_req_body: Type.Optional(Type.Boolean({ default: false, description: "Log the request's body" })),
  include_req_body_expr: Type.Optional(expressionField("Condition under which the request's body is logged")),
  include_resp_body: Type.Optional(Type.Boolean({ default: false, description: "Log the answer's body" })),
  include_resp_body_expr: Type.Optional(expressionField("Condition under which the answer's body is logged")),
  max_req_body_bytes: Type.Optional(
    Type.Integer({ minimum: 1, default: DEFAULT_MAX_BODY_BYTES, description: "The request's body is cut there" }),
  ),
  max_resp_body_bytes: Type.Optional(
    Type.Integer({ minimum: 1, default: DEFAULT_MAX_BODY_BYTES, description: "The answer's body is cut there" }),
  ),
});

/** Fields of every logger's metadata. */
export const LOG_METADATA_FIELDS = Object.freeze({
  log_format: Type.Optional(logFormatField),
  log_format_extra: Type.Optional(logFormatExtraField),
});

/** The field of metadata that bounds what waits. */
export const MAX_PENDING_FIELD = Type.Optional(
  Type.Integer({ minimum: 1, default: 8192, description: 'Entries that may wait or be under way, in each worker; more are dropped' }),
);

/** Fields of loggers that send batches; `name` is the default of the field of that name. */
export function batchFields(name: string) {
  return {
    name: Type.Optional(Type.String({ default: name, description: 'Name in metrics' })),
    batch_max_size: Type.Optional(
      Type.Integer({ minimum: 1, default: 1000, description: 'Entries of a batch at most; 1 sends each at once' }),
    ),
    inactive_timeout: Type.Optional(
      Type.Integer({ minimum: 1, default: 5, description: 'Seconds without a new entry after which a batch is sent' }),
    ),
    buffer_duration: Type.Optional(
      Type.Integer({ minimum: 1, default: 60, description: 'Seconds after its first entry at which a batch is sent' }),
    ),
    max_retry_count: Type.Optional(
      Type.Integer({ minimum: 0, default: 0, description: 'How often a batch is sent again before it is dropped' }),
    ),
    retry_delay: Type.Optional(
      Type.Integer({ minimum: 0, default: 1, description: 'Seconds before a batch is sent again; twice as long each further time' }),
    ),
  };
}

/** Says what is wrong with the conditions for bodies, with APISIX's words. */
export function checkBodyExpressions(configuration: JsonObject): readonly Issue[] {
  return ['include_req_body_expr', 'include_resp_body_expr'].flatMap((field) => {
    const rule = Object.hasOwn(configuration, field) ? configuration[field] : undefined;
    const compiled = rule === undefined ? undefined : compileExpression(rule);
    if (compiled?.kind !== 'invalid') return [];
    return [{ pointer: `/${field}`, message: `failed to validate the '${field}' expression: ${compiled.message}` }];
  });
}
