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

export interface RefusalOptions {
  /** Added after `Content-Type`. */
  readonly headers?: AnswerHeaders;
  /** In place of the text in the table of errors. */
  readonly message?: string;
}

/** The type of every body that a plugin writes without naming one: what APISIX's plugins answer with. */
const PLAIN_TEXT: readonly [string, string] = ['Content-Type', 'text/plain; charset=utf-8'];

/**
 * An error answer as APISIX's plugins write it: `{"message":…}` and a newline, sent as `text/plain; charset=utf-8`.
 * Status and text are the reason's in the table of errors. Frozen, so that a plugin can make it once per configuration.
 */
export function refuse(reason: ErrorReason, options: RefusalOptions = {}): PluginAnswer {
  const { status, publicMessage } = ERROR_CODES[reason];
  const body = `${JSON.stringify({ message: options.message ?? publicMessage })}\n`;
  return freezeAnswer({ status, headers: [PLAIN_TEXT, ...(options.headers ?? [])], body, reason });
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
