import { isFieldValue } from '../../lib/field-syntax.ts';
import { checkHeaderName, type Issue, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { mediaTypeOf } from './media-type.ts';

/** The configuration, defaults in place; an example or a schema is there. */
export interface MockingConfiguration {
  /** Seconds. */
  readonly delay: number;
  readonly response_status: number;
  readonly content_type: string;
  readonly response_example?: string;
  readonly response_schema?: JsonObject;
  readonly with_mock_header: boolean;
  readonly response_headers?: Readonly<Record<string, string | number>>;
}

/** What an answer can have (RFC 9110 §15): a status below is no answer yet. */
const LOWEST_STATUS = 200;
const HIGHEST_STATUS = 599;

/** What can be configured of mocking: fields, limits and defaults of APISIX's plugin. */
export const mockingSchema: PluginSchema = {
  name: 'mocking',
  version: '0.1',
  priority: 10_900,
  type: 'other',
  schema: Type.Object(
    {
      delay: Type.Optional(Type.Integer({ default: 0, description: 'How long a request waits for its answer, in seconds' })),
      response_status: Type.Optional(Type.Integer({ minimum: 100, default: 200, description: 'Status of the answer, 200 to 599' })),
      content_type: Type.Optional(
        Type.String({ default: 'application/json;charset=utf8', description: 'Content-Type of the answer, sent as it is' }),
      ),
      response_example: Type.Optional(Type.String({ description: 'Body of the answer; variables are filled in' })),
      response_schema: Type.Optional(
        Type.Unsafe<JsonObject>({
          type: 'object',
          description: 'JSON Schema of a body that is made up anew each time, where there is no example',
        }),
      ),
      with_mock_header: Type.Optional(
        Type.Boolean({ default: true, description: 'Say in the header `x-mock-by` that the answer is made up' }),
      ),
      response_headers: Type.Optional(
        Type.Unsafe<Readonly<Record<string, string | number>>>({
          type: 'object',
          minProperties: 1,
          propertyNames: { pattern: '^[^:]+$' },
          additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
          description: 'More headers of the answer; variables are filled in',
        }),
      ),
    },
    { anyOf: [{ required: ['response_example'] }, { required: ['response_schema'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
  check: (configuration) => [...checkStatus(configuration), ...checkType(configuration), ...checkHeaders(configuration)],
};

function checkStatus({ response_status: status }: JsonObject): readonly Issue[] {
  if (typeof status !== 'number' || (status >= LOWEST_STATUS && status <= HIGHEST_STATUS)) return [];
  return [{ pointer: '/response_status', message: `an answer has a status from ${LOWEST_STATUS} to ${HIGHEST_STATUS}` }];
}

function checkType({ content_type: type }: JsonObject): readonly Issue[] {
  if (typeof type !== 'string' || (mediaTypeOf(type) !== undefined && isFieldValue(type))) return [];
  return [{ pointer: '/content_type', message: 'unsupported content type!' }];
}

function checkHeaders({ response_headers: headers }: JsonObject): readonly Issue[] {
  return Object.keys(Object(headers)).flatMap((name) => checkHeaderName(name, '/response_headers'));
}
