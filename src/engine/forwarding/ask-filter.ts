import type { EngineContext } from '../engine-context.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import type { BodyFilter, ResponseFilter } from '../response-filter.ts';
import { cutOwnFields } from '../writer/response-head-writer.ts';
import { isBodylessStatus } from './bodyless-status.ts';
import { type FailureListener, FilteredBody } from './filtered-body.ts';
import { ResponseHeadEdits } from './response-head-edits.ts';

/** What a filter has made of a response's head. */
export interface FilteredHead {
  readonly edits: ResponseHeadEdits;
  /** The body would pass through a filter, so its length is not known, also where there is none. */
  readonly filtered: boolean;
  /** Undefined where no body passes through one. */
  readonly bodyFilter: BodyFilter | undefined;
}

/**
 * Has a filter look at the final head of a response; undefined where it throws, which is reported. `isHead`: the client has asked with
 * HEAD. Not to be called while a message is put together: the filter may end the exchange.
 */
export function askFilter(
  filter: ResponseFilter,
  head: ResponseParser,
  context: EngineContext,
  isHead: boolean,
  listener: FailureListener,
): FilteredHead | undefined {
  cutOwnFields(head, context.ownResponseFields);
  const edits = new ResponseHeadEdits(context, head, isHead);
  let bodyFilter: BodyFilter | undefined;
  try {
    bodyFilter = filter.onHead(edits);
  } catch (error) {
    listener.reportFailure(error);
    return undefined;
  } finally {
    edits.close();
  }
  if (bodyFilter === undefined) return { edits, filtered: false, bodyFilter };
  if (!isHead && !isBodylessStatus(edits.finalStatus)) return { edits, filtered: true, bodyFilter };
  new FilteredBody(bodyFilter, listener, () => {}).abort();
  return { edits, filtered: true, bodyFilter: undefined };
}
