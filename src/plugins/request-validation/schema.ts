import { type Issue, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { compileSchema } from './compile-schema.ts';

/** The configuration, defaults in place; at least one of the schemas is there. */
export interface RequestValidationConfiguration {
  readonly header_schema?: JsonObject;
  readonly body_schema?: JsonObject;
  readonly max_req_body_size: number;
  readonly rejected_code: number;
  readonly rejected_msg?: string;
}

const jsonSchema = (description: string) => Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', description }));

/** What can be configured of request-validation: fields, limits and defaults of APISIX's plugin. */
export const requestValidationSchema: PluginSchema = {
  name: 'request-validation',
  version: '0.1',
  priority: 2800,
  type: 'other',
  schema: Type.Object(
    {
      header_schema: jsonSchema('JSON Schema of the headers, an object with names in lower case'),
      body_schema: jsonSchema('JSON Schema of the body: JSON, or the fields of a form'),
      max_req_body_size: Type.Optional(
        Type.Integer({ minimum: 1, default: 67_108_864, description: 'Most bytes of a body that is validated' }),
      ),
      rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 400, description: 'Status of the refusal' })),
      rejected_msg: Type.Optional(
        Type.String({ minLength: 1, maxLength: 256, description: 'Text of the refusal; without it what is wrong with the request' }),
      ),
    },
    { anyOf: [{ required: ['header_schema'] }, { required: ['body_schema'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
  check: (configuration) => [...checkSchema(configuration, 'header_schema'), ...checkSchema(configuration, 'body_schema')],
};

function checkSchema(configuration: JsonObject, field: string): readonly Issue[] {
  const schema = configuration[field];
  const compiled = schema === undefined ? undefined : compileSchema(schema);
  return compiled?.kind === 'invalid' ? [{ pointer: `/${field}`, message: compiled.message }] : [];
}
