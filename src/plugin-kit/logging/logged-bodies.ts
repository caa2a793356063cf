import { type CompiledExpression, compileExpression } from '../../expression/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { BodyFilter } from '../body-filter.ts';
import type { LogView } from '../log-view.ts';
import { requestSlot } from '../request-slot.ts';
import type { RequestView } from '../request-view.ts';
import type { ResponseHead } from '../response-head.ts';
import { BodyCopy } from './body-copy.ts';
import { decodeBody, type LoggedCoding, loggedCodingOf } from './decode-body.ts';
import type { BodyTexts } from './default-log-entry.ts';
import type { LogConfiguration } from './log-fields.ts';
import { textOfBody } from './text-of-byte-string.ts';

/** Bodies that are decoded at the same time for one configuration; one more is left out of its entry. */
const MAX_DECODED_AT_ONCE = 32;

/** Which bodies an entry can hold, whatever the settings say; `always`: the log format names the request's body, which needs no setting. */
export interface BodyUse {
  readonly request: boolean | 'always';
  readonly response: boolean;
}

/** The texts of the bodies that are to be logged. */
export interface KeptTexts {
  readonly texts: BodyTexts;
  /** Where a coding must be undone: late texts are known when this has settled, which needs the request no more. Never rejects. */
  readonly ready: Promise<void> | undefined;
}

interface ResponseCopy {
  readonly copy: BodyCopy;
  readonly coding: LoggedCoding | undefined;
}

type Condition = (request: RequestView) => boolean;

const ALWAYS: Condition = () => true;
const NEVER: Condition = () => false;

/** Keeps the bodies of requests and answers as far as one logger's configuration wants them logged. */
export class LoggedBodies {
  // One for each configuration: a global rule and a route may log the same request.
  readonly #requestBody = requestSlot<string>('logged request body');
  readonly #responseCopy = requestSlot<ResponseCopy>('logged response body');
  readonly #wantsRequestBody: Condition;
  readonly #wantsResponseBody: Condition;
  readonly #maxRequestBytes: number;
  readonly #maxResponseBytes: number;
  #decoding = 0;

  /** `reads`: the bodies that an entry of this configuration may hold. */
  constructor(configuration: LogConfiguration, reads: BodyUse) {
    const { include_req_body, include_req_body_expr, include_resp_body, include_resp_body_expr } = configuration;
    this.#wantsRequestBody = reads.request === 'always' ? ALWAYS : conditionOf(reads.request && include_req_body, include_req_body_expr);
    this.#wantsResponseBody = conditionOf(reads.response && include_resp_body, include_resp_body_expr);
    this.#maxRequestBytes = configuration.max_req_body_bytes;
    this.#maxResponseBytes = configuration.max_resp_body_bytes;
  }

  /** To be called in the phase `access`; waits for what is to be logged of the body, and no longer. */
  readRequest(request: RequestView): Promise<undefined> | undefined {
    if (request.bodyLength === undefined || request.bodyLength === 0 || !this.#wantsRequestBody(request)) return undefined;
    return this.#readRequest(request);
  }

  /** To be called in the phase `bodyFilter`. */
  copyResponse(request: RequestView, response: ResponseHead): BodyFilter | undefined {
    if (!this.#wantsResponseBody(request)) return undefined;
    const copy = new BodyCopy(this.#maxResponseBytes);
    request.set(this.#responseCopy, { copy, coding: loggedCodingOf(response.header('content-encoding')) });
    return copy;
  }

  /** What was kept, for the phase `log`. */
  textsOf(request: LogView): KeptTexts {
    const requestText = request.get(this.#requestBody);
    const kept = request.get(this.#responseCopy);
    if (kept === undefined) return { texts: { request: requestText, response: undefined }, ready: undefined };
    const { bytes } = kept.copy;
    if (kept.coding !== undefined && bytes.length > 0) return this.#decode(requestText, bytes, kept.coding);
    return { texts: { request: requestText, response: textOfBody(bytes) }, ready: undefined };
  }

  #decode(requestText: string | undefined, bytes: Buffer, coding: LoggedCoding): KeptTexts {
    if (this.#decoding >= MAX_DECODED_AT_ONCE) return { texts: { request: requestText, response: undefined }, ready: undefined };
    let text = '';
    this.#decoding += 1;
    const ready = decodeBody(bytes, coding, this.#maxResponseBytes).then((decoded) => {
      this.#decoding -= 1;
      text = textOfBody(decoded);
    });
    return { texts: { request: requestText, response: { toJSON: () => text } }, ready };
  }

  async #readRequest(request: RequestView): Promise<undefined> {
    const start = await request.readBodyStart(this.#maxRequestBytes);
    request.set(this.#requestBody, textOfBody(start));
    return undefined;
  }
}

/** An expression that does not compile lets no body be logged. */
function conditionOf(included: boolean, rule: readonly JsonValue[] | undefined): Condition {
  if (!included) return NEVER;
  if (rule === undefined) return ALWAYS;
  const compiled: CompiledExpression | { readonly kind: 'invalid' } = compileExpression([...rule]);
  return compiled.kind === 'invalid' ? NEVER : (request) => compiled.test(request);
}
