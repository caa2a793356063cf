import { ERROR_CODES, type ErrorReason } from '../errors/index.ts';
import type { JsonValue } from '../lib/json.ts';

/** Header lines of an answer, in order. */
export type AnswerHeaders = ReadonlyArray<readonly [name: string, value: string]>;

/** The response with which a plugin ends a request. */
export interface PluginAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
  /** Stands in the access log and in metrics; undefined for answers that are no errors. */
  readonly reason: ErrorReason | undefined;
}

/**
 * How the body of a refusal is written. `message` and `error_msg` are JSON objects with that member and a newline, sent as `text/plain`
 * as APISIX's plugins do; `text` is the message alone. `gateway` is for where APISIX leaves the body to nginx: JSON with `error_msg`, typed as
 * such, as all errors of the gateway itself; no body where the status is below 300.
 */
export type RefusalStyle = 'message' | 'error_msg' | 'text' | 'gateway';

export interface RefusalOptions {
  /** In place of the status in the table of errors. */
  readonly status?: number;
  /** Added after `Content-Type`. */
  readonly headers?: AnswerHeaders;
  /** In place of the text in the table of errors. */
  readonly message?: string;
  /** `message` unless said. */
  readonly style?: RefusalStyle;
}

/** The type of every body that a plugin writes without naming one: what APISIX's plugins answer with. */
const PLAIN_TEXT: readonly [string, string] = ['Content-Type', 'text/plain; charset=utf-8'];
/** The first status for which nginx writes a page of its own. */
const FIRST_WITH_PAGE = 300;
const JSON_TYPE: readonly [string, string] = ['Content-Type', 'application/json'];

/**
 * An error answer as APISIX's plugins write it: `{"message":…}` and a newline, sent as `text/plain; charset=utf-8`, unless the options say
 * otherwise. Status and text are the reason's in the table of errors. Frozen, so that a plugin can make it once per configuration.
 */
export function refuse(reason: ErrorReason, options: RefusalOptions = {}): PluginAnswer {
  const { status, publicMessage } = ERROR_CODES[reason];
  const { style = 'message', message = publicMessage, headers = [] } = options;
  const answerStatus = options.status ?? status;
  const empty = style === 'gateway' && answerStatus < FIRST_WITH_PAGE;
  const type = style === 'gateway' && !empty ? JSON_TYPE : PLAIN_TEXT;
  const body = empty ? '' : refusalBody(style, message);
  return freezeAnswer({ status: answerStatus, headers: [type, ...headers], body, reason });
}

function refusalBody(style: RefusalStyle, message: string): string {
  switch (style) {
    case 'message':
      return `${JSON.stringify({ message })}\n`;
    case 'error_msg':
    case 'gateway':
      return `${JSON.stringify({ error_msg: message })}\n`;
    case 'text':
      return message;
  }
}

/** Any other answer. A text goes out as it is, everything else as JSON and a newline; `text/plain` unless a header says otherwise. */
export function respond(status: number, body: JsonValue, headers: AnswerHeaders = []): PluginAnswer {
  const typed = headers.some(([name]) => name.toLowerCase() === 'content-type');
  return freezeAnswer({ status, headers: typed ? headers : [PLAIN_TEXT, ...headers], body: bodyText(body), reason: undefined });
}

/** The body of `_meta.error_response` and of `respond`: text as it is, everything else as compact JSON and a newline. */
export function bodyText(body: JsonValue): string {
  return typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
}

function freezeAnswer(answer: PluginAnswer): PluginAnswer {
  for (const header of answer.headers) Object.freeze(header);
  return Object.freeze({ ...answer, headers: Object.freeze([...answer.headers]) });
}
