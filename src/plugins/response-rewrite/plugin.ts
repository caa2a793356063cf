import { type CompiledExpression, compileExpression } from '../../expression/index.ts';
import { definePlugin, type JsonValue, type RequestSlot, type ResponseHead, requestSlot } from '../../plugin-kit/index.ts';
import { answerVariables } from './answer-variables.ts';
import { type BodyRules, compileBodyRules, filterBody } from './body-rules.ts';
import { type Decode, decoderOf } from './content-coding.ts';
import { applyHeaderEdits, compileHeaderEdits, type HeaderEdits } from './header-edits.ts';
import { type ResponseRewriteConfiguration, responseRewriteSchema } from './schema.ts';

interface ResponseRewriteState {
  readonly condition: CompiledExpression | undefined;
  readonly status: number | undefined;
  readonly headers: HeaderEdits | undefined;
  readonly body: Buffer | undefined;
  readonly rules: BodyRules | undefined;
  /** Each configuration's own: one of a global rule and one of a route may both change the same answer. */
  readonly planSlot: RequestSlot<BodyPlan>;
}

/** What becomes of the body of an answer, found out when its head passes. */
type BodyPlan =
  | { readonly kind: 'replace'; readonly body: Buffer }
  | { readonly kind: 'filter'; readonly rules: BodyRules; readonly decode: Decode };

/** What is no longer true of an answer with another body; Content-Length is the engine's. */
const HEADERS_OF_BODY = ['content-length', 'content-encoding', 'last-modified', 'etag'];

/** Changes status, headers and body of answers, those of the gateway too. As APISIX's response-rewrite. */
export const responseRewrite = definePlugin<ResponseRewriteConfiguration, ResponseRewriteState>({
  ...responseRewriteSchema,
  changesBodies: ({ body, rules }) => body !== undefined || rules !== undefined,
  create: (configuration) => ({
    condition: configuration.vars && compileVars(configuration.vars),
    status: configuration.status_code,
    headers: configuration.headers && compileHeaderEdits(configuration.headers),
    body: newBody(configuration),
    planSlot: requestSlot('response-rewrite'),
    rules: configuration.filters && compileBodyRules(configuration.filters, configuration.max_resp_body_size),
  }),
  phases: {
    headerFilter: (request, response, state) => {
      const variables = answerVariables(request, response);
      if (state.condition?.test(variables) === false) return;
      if (state.status !== undefined) response.status = state.status;
      const plan = planFor(response, state);
      if (plan !== undefined) {
        request.set(state.planSlot, plan);
        for (const name of HEADERS_OF_BODY) response.removeHeader(name);
      }
      if (state.headers !== undefined) applyHeaderEdits(response, state.headers, variables);
    },
    bodyFilter: (request, _response, { planSlot }) => {
      const plan = request.get(planSlot);
      switch (plan?.kind) {
        case undefined:
          return undefined;
        case 'replace':
          return { write: () => {}, end: (push) => push(plan.body) };
        case 'filter':
          return filterBody(plan.rules, plan.decode);
      }
    },
  },
});

/** A body in a coding that cannot be decoded is left as it is. */
function planFor(response: ResponseHead, { body, rules }: ResponseRewriteState): BodyPlan | undefined {
  if (body !== undefined) return { kind: 'replace', body };
  if (rules === undefined) return undefined;
  const decode = decoderOf(response.headerValues('content-encoding'));
  return decode === undefined ? undefined : { kind: 'filter', rules, decode };
}

function newBody({ body, body_base64: isBase64 }: ResponseRewriteConfiguration): Buffer | undefined {
  return body === undefined ? undefined : Buffer.from(body, isBase64 ? 'base64' : 'utf8');
}

function compileVars(vars: readonly JsonValue[]): CompiledExpression {
  const compiled = compileExpression(vars);
  if (compiled.kind === 'invalid') throw new Error(`an expression is invalid: ${compiled.message}`);
  return compiled;
}
