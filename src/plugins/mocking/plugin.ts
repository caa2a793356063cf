import type { Clock } from '../../lib/clock.ts';
import { RandomNumbers } from '../../lib/random-numbers.ts';
import {
  type AnswerHeaders,
  compileHeaderTemplates,
  definePlugin,
  type HeaderTemplates,
  type PluginAnswer,
  type RequestView,
  respond,
  waitFor,
} from '../../plugin-kit/index.ts';
import { type MockBody, mockBody } from './mock-body.ts';
import { type MockingConfiguration, mockingSchema } from './schema.ts';

interface MockingState {
  readonly delayMs: number;
  readonly answer: (request: RequestView) => PluginAnswer;
  readonly clock: Clock;
}

/** Answers every request that reaches it with something made up; no upstream is asked. As APISIX's mocking. */
export const mocking = definePlugin<MockingConfiguration, MockingState>({
  ...mockingSchema,
  readsHeadLater: false,
  create: (configuration, { random, clock, version }) => ({
    delayMs: configuration.delay * 1000,
    answer: answers(configuration, mockBody(configuration, new RandomNumbers(random)), version),
    clock,
  }),
  phases: {
    access: (request, { delayMs, answer, clock }) => {
      if (delayMs <= 0) return answer(request);
      return waitFor(request, clock, delayMs).then(() => answer(request));
    },
  },
});

/** The same answer each time where nothing in it depends on the request. */
function answers(configuration: MockingConfiguration, body: MockBody, version: string): (request: RequestView) => PluginAnswer {
  const { response_status: status, response_headers: added = {}, content_type: type, with_mock_header: says } = configuration;
  const templates: HeaderTemplates = compileHeaderTemplates(added);
  // The text is APISIX's, for clients that look for it; the version is ours.
  const own: AnswerHeaders = [['Content-Type', type], ...(says ? ([['x-mock-by', `APISIX/${version}`]] as const) : [])];
  const answer = (request: RequestView): PluginAnswer => respond(status, body.text(request), [...own, ...templates.expand(request)]);
  if (!body.isConstant || !templates.isConstant) return answer;
  let made: PluginAnswer | undefined;
  return (request) => {
    made ??= answer(request);
    return made;
  };
}
