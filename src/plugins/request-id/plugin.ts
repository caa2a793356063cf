import { RandomNumbers } from '../../lib/random-numbers.ts';
import { definePlugin, type RequestSlot, requestSlot } from '../../plugin-kit/index.ts';
import { idMaker } from './id-maker.ts';
import { type RequestIdConfiguration, requestIdSchema } from './schema.ts';

interface RequestIdState {
  readonly header: string;
  readonly lowerCaseHeader: string;
  readonly includeInResponse: boolean;
  readonly makeId: () => string;
  /** Of this configuration alone: a global rule and a route may each have a header of their own. */
  readonly slot: RequestSlot<string>;
}

/** The variable that holds the id from now on. */
const VARIABLE = 'apisix_request_id';

/** Gives each request an id in a header, or keeps the one that the client sent, and puts it into the answer. As APISIX's request-id. */
export const requestId = definePlugin<RequestIdConfiguration, RequestIdState>({
  ...requestIdSchema,
  readsHeadLater: false,
  create: (configuration, { random, clock }) => ({
    header: configuration.header_name,
    lowerCaseHeader: configuration.header_name.toLowerCase(),
    includeInResponse: configuration.include_in_response,
    makeId: idMaker(configuration, new RandomNumbers(random), clock),
    slot: requestSlot(requestIdSchema.name),
  }),
  phases: {
    rewrite: (request, { header, lowerCaseHeader, makeId, slot }) => {
      const sent = request.header(lowerCaseHeader);
      const id = sent === undefined || sent === '' ? makeId() : sent;
      if (id !== sent) request.setHeader(header, id);
      request.setVariable(VARIABLE, id);
      request.set(slot, id);
      return undefined;
    },
    headerFilter: (request, response, { header, lowerCaseHeader, includeInResponse, slot }) => {
      const id = includeInResponse ? request.get(slot) : undefined;
      if (id === undefined) return;
      const answered = response.header(lowerCaseHeader);
      if (answered === undefined || answered === '') response.setHeader(header, id);
    },
  },
});
