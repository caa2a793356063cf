import {
  type AnswerHeaders,
  compileHeaderTemplates,
  type HeaderTemplates,
  type PluginAnswer,
  type RequestView,
  refuse,
} from '../../plugin-kit/index.ts';
import type { ApiBreakerConfiguration } from './schema.ts';

/**
 * Makes the answers of requests that are kept from the upstream; the same one each time where no header depends on the request. Headers
 * are sent only with a body (APISIX, api-breaker).
 */
export function breakAnswer({
  break_response_code: status,
  break_response_body: body,
  break_response_headers: headers = [],
}: ApiBreakerConfiguration): (request: RequestView) => PluginAnswer {
  if (body === undefined) {
    const answer = refuse('breaker_open', { status, style: 'gateway' });
    return () => answer;
  }
  const templates: readonly HeaderTemplates[] = headers.map(({ key, value }) => compileHeaderTemplates({ [key]: value }));
  const plain = refuse('breaker_open', { status, message: body, style: 'text' });
  const answer = (request: RequestView): PluginAnswer =>
    withHeaders(
      plain,
      templates.flatMap((template) => template.expand(request)),
    );
  if (templates.some(({ isConstant }) => !isConstant)) return answer;
  let made: PluginAnswer | undefined;
  return (request) => {
    made ??= answer(request);
    return made;
  };
}

/** A type of its own takes the place of the usual one. */
function withHeaders(answer: PluginAnswer, headers: AnswerHeaders): PluginAnswer {
  const isTyped = headers.some(([name]) => name.toLowerCase() === 'content-type');
  return Object.freeze({ ...answer, headers: Object.freeze(isTyped ? headers : [...answer.headers, ...headers]) });
}
