import { type AnswerHeaders, type PluginAnswer, refuse } from './answer.ts';
import type { PhaseResult } from './plugin.ts';
import type { RequestView } from './request-view.ts';

/** Decides about a request by whose credentials nobody was recognised; `refusal` is the answer where nobody stands in. */
export type UnrecognisedClient = (request: RequestView, refusal: PluginAnswer) => PhaseResult;

/**
 * What an authentication plugin does with a client that it does not recognise: with an anonymous consumer the request goes on as that
 * one's, and is refused when there is no such consumer. `challenge` are the headers of that refusal. (APISIX, `anonymous_consumer`)
 */
export function unrecognisedClient(anonymousConsumer: string | undefined, challenge: AnswerHeaders): UnrecognisedClient {
  if (anonymousConsumer === undefined) return (_request, refusal) => refusal;
  const missing = refuse('anonymous_consumer_missing', { headers: challenge });
  return (request) => {
    const consumer = request.findConsumerByName(anonymousConsumer);
    if (consumer === undefined) return missing;
    request.attachConsumer(consumer);
    return undefined;
  };
}
