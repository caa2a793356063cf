import type { FastifyRequest } from 'fastify';
import type { AnswerMemory, RecalledAnswer, ShownSecrets } from './answer-memory.ts';
import { type FrameworkRequest, headerOf } from './api-request.ts';
import type { ApiAnswer, ApiRoute } from './api-route.ts';
import type { Clients } from './clients.ts';
import { describeError } from './error-answer.ts';

/** What the operation answers or, where the store is away, what it answered before. */
export async function answerOrRecall(
  answers: AnswerMemory,
  route: ApiRoute,
  clients: Clients,
  request: FastifyRequest,
  apiRequest: FrameworkRequest,
): Promise<ApiAnswer | RecalledAnswer> {
  const { caller } = apiRequest;
  const url = request.raw.url ?? '';
  const shown = shownBy(request);
  const isRead = isRememberedRead(request);
  try {
    const answer = await route.handle(apiRequest);
    if (route.resource?.kind === 'handler' && !apiRequest.wasAuthorized) {
      throw new Error(`the handler of ${route.method} ${route.path} checked no permission`);
    }
    const text = isRead && answer.body !== undefined ? JSON.stringify(answer.body) : undefined;
    if (text === undefined || caller === undefined) return answer;
    answers.remember(shown, url, { caller, headers: answer.headers ?? {}, text }, clients.marks.get(request) ?? -1);
    return { ...answer, body: undefined, text: { contentType: JSON_TYPE, content: text } };
  } catch (error) {
    const recalled = isRead && isStoreAway(error) ? answers.find(shown, url) : undefined;
    if (recalled !== undefined) return recalled;
    answers.forget(shown, url);
    throw error;
  } finally {
    // Also what failed may have been done: a connection to the database may be lost in the middle of a commit.
    if (route.method !== 'GET' && route.permission !== 'public') answers.forgetWritten(route.method, url);
  }
}

/** Reads of the configuration. Of people, and of what is no answer in JSON, nothing is remembered. */
export function isRememberedRead(request: FastifyRequest): boolean {
  return request.method === 'GET' && request.routeOptions.config.permission?.startsWith('gateway:Get') === true;
}

/** Whether something failed because the store cannot be read. */
export function isStoreAway(error: unknown): boolean {
  return describeError(error).reason === 'store_unavailable';
}

/** The content type of almost all answers. */
export const JSON_TYPE = 'application/json';

/** What a request shows of its caller. */
export function shownBy(request: FastifyRequest): ShownSecrets {
  return {
    token: headerOf(request, 'x-api-key'),
    authorization: headerOf(request, 'authorization'),
    cookie: headerOf(request, 'cookie'),
  };
}
