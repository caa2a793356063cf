import { definePlugin, type JsonObject, type PhaseResult, type PluginAnswer, type RequestView, refuse } from '../../plugin-kit/index.ts';
import { type CompiledSchema, compileSchema } from './compile-schema.ts';
import { headerMap } from './header-map.ts';
import { readForm } from './read-form.ts';
import { type JsonSize, readJson, sizeOf } from './read-json.ts';
import { type RequestValidationConfiguration, requestValidationSchema } from './schema.ts';

interface RequestValidationState {
  readonly headers: CompiledSchema | undefined;
  readonly body: CompiledSchema | undefined;
  readonly maxBodyBytes: number;
  readonly status: number;
  /** In place of what is wrong with a request. */
  readonly message: string | undefined;
  /** For what the validator has nothing to say about. */
  readonly silentRefusal: PluginAnswer;
}

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Lets requests pass whose headers and body are what JSON Schemas describe. As APISIX's request-validation. */
export const requestValidation = definePlugin<RequestValidationConfiguration, RequestValidationState>({
  ...requestValidationSchema,
  readsHeadLater: false,
  create: (configuration) => ({
    headers: compileAccepted(configuration.header_schema),
    body: compileAccepted(configuration.body_schema),
    maxBodyBytes: configuration.max_req_body_size,
    status: configuration.rejected_code,
    message: configuration.rejected_msg,
    silentRefusal: silentRefusal(configuration),
  }),
  phases: {
    rewrite: (request, state) => {
      const fault = state.headers?.findFault(headerMap(request));
      if (fault !== undefined) return refusalFor(fault, state);
      return state.body === undefined ? undefined : validateBody(request, state.body, state);
    },
  },
});

/** What the plugin's `check` has accepted. */
function compileAccepted(schema: JsonObject | undefined): CompiledSchema | undefined {
  const compiled = schema && compileSchema(schema);
  if (compiled?.kind === 'invalid') throw new Error(`a schema is invalid: ${compiled.message}`);
  return compiled;
}

async function validateBody(request: RequestView, schema: CompiledSchema, state: RequestValidationState): Promise<PhaseResult> {
  const types = request.headerValues('content-type');
  if (types.length > 1) return state.silentRefusal;
  const { bodyLength } = request;
  if (bodyLength === undefined || (typeof bodyLength === 'number' && bodyLength > state.maxBodyBytes)) return state.silentRefusal;
  const body = await request.readBody(state.maxBodyBytes);
  if (body === 'too-large' || body.length === 0) return state.silentRefusal;
  const isForm = types[0]?.toLowerCase().startsWith(FORM_TYPE) === true;
  const fault = isForm ? formFault(body, schema) : jsonFault(request, body, schema);
  return fault === undefined ? undefined : refusalFor(fault, state);
}

function formFault(body: Uint8Array, schema: CompiledSchema): string | undefined {
  const fields = readForm(body);
  return fields === undefined ? 'the form has too many fields' : schema.findFault(fields);
}

/**
 * The upstream gets the bytes as they came, so that no number loses digits; written anew where they could be read in another way than they
 * were validated, and where the schema has added defaults.
 */
function jsonFault(request: RequestView, body: Uint8Array, schema: CompiledSchema): string | undefined {
  const read = readJson(body);
  if (read.kind === 'invalid') return read.message;
  const fault = schema.findFault(read.value);
  if (fault !== undefined) return fault;
  if (read.ambiguous || !isSameSize(sizeOf(read.value), read.size)) request.setBody(Buffer.from(JSON.stringify(read.value)));
  return undefined;
}

function isSameSize(one: JsonSize, other: JsonSize): boolean {
  return one.members === other.members && one.elements === other.elements;
}

function refusalFor(fault: string, { status, message = fault }: RequestValidationState): PluginAnswer {
  return refuse('request_invalid', { status, message, style: 'text' });
}

function silentRefusal({ rejected_code: status, rejected_msg: message }: RequestValidationConfiguration): PluginAnswer {
  return refuse('request_invalid', message === undefined ? { status, style: 'gateway' } : { status, message, style: 'text' });
}
