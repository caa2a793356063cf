import { compileTemplate } from '../../expression/index.ts';
import {
  compileHeaderTemplates,
  type HeaderTemplates,
  type PluginAnswer,
  type RequestView,
  respond,
  textOfByteString,
} from '../../plugin-kit/index.ts';
import type { AbortConfiguration } from './schema.ts';

const FIRST_ERROR = 400;
/** From here on nginx would write a page of its own where there is no body. */
const FIRST_WITH_PAGE = 300;
const NO_BODY = { error_msg: 'injected' };
const NO_HEADERS: HeaderTemplates = { isConstant: true, expand: () => [] };

/** Makes the answers of an abort; the same one each time where nothing in it depends on the request. */
export function abortAnswer({ http_status: status, body, headers }: AbortConfiguration): (request: RequestView) => PluginAnswer {
  const templates = headers === undefined ? NO_HEADERS : compileHeaderTemplates(headers);
  const text = body === undefined ? undefined : compileTemplate(body);
  const answer = (request: RequestView): PluginAnswer => {
    const lines = templates.expand(request);
    if (text !== undefined) return withReason(respond(status, textOfByteString(text.expand(request).text), lines));
    if (status < FIRST_WITH_PAGE) return withReason(respond(status, '', lines));
    const isTyped = lines.some(([name]) => name.toLowerCase() === 'content-type');
    return withReason(respond(status, NO_BODY, isTyped ? lines : [['Content-Type', 'application/json'], ...lines]));
  };
  if (!templates.isConstant || text?.isConstant === false) return answer;
  let made: PluginAnswer | undefined;
  return (request) => {
    made ??= answer(request);
    return made;
  };
}

/** Frozen as it was, so that it is encoded once. */
function withReason(answer: PluginAnswer): PluginAnswer {
  return answer.status < FIRST_ERROR ? answer : Object.freeze({ ...answer, reason: 'fault_injected' });
}
