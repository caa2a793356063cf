import { createRequire } from 'node:module';
import type { ReferenceField } from './reference-scan.ts';

/** A message as node's own parser read it. */
export interface LlhttpMessage {
  readonly method: number;
  readonly target: string;
  readonly status: number;
  readonly fields: readonly ReferenceField[];
  readonly body: string;
  readonly trailers: readonly ReferenceField[];
  readonly complete: boolean;
}

/** What node's own parser made of some bytes. */
export interface LlhttpReading {
  readonly messages: readonly LlhttpMessage[];
  /** Its error code where it refused the bytes. */
  readonly refusal: string | undefined;
}

/** The part of node's internal parser that is used here. No public interface says where one message ends and the next begins. */
interface LlhttpParser {
  initialize(kind: number, resource: object, maxHeaderSize: number, lenient: number): void;
  execute(bytes: Buffer): unknown;
  finish(): unknown;
  [callback: number]: (...values: readonly unknown[]) => number | undefined;
}

interface LlhttpParserClass {
  new (): LlhttpParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

const { HTTPParser } = createRequire(import.meta.url)('node:_http_common') as { readonly HTTPParser: LlhttpParserClass };
const MOST_HEADER_BYTES = 1_000_000;

interface OpenMessage {
  method: number;
  target: string;
  status: number;
  fields: ReferenceField[];
  body: string;
  trailers: ReferenceField[];
  complete: boolean;
}

/** Reads the text as requests one after the other, strictly. */
export function readRequestsWithLlhttp(text: string): LlhttpReading {
  return read(HTTPParser.REQUEST, text, 0);
}

/** Reads the text as responses; `isHead`: they have no bodies. `ended`: nothing follows. */
export function readResponsesWithLlhttp(text: string, context: { readonly isHead: boolean; readonly ended: boolean }): LlhttpReading {
  return read(HTTPParser.RESPONSE, text, context.isHead ? 1 : 0, context.ended);
}

function read(kind: number, text: string, afterHeaders: number, ended = false): LlhttpReading {
  const parser = new HTTPParser();
  const messages: OpenMessage[] = [];
  let lines: unknown[] = [];
  let line = '';
  parser.initialize(kind, {}, MOST_HEADER_BYTES, HTTPParser.kLenientNone);
  parser[HTTPParser.kOnHeaders] = (headers, target) => {
    if (Array.isArray(headers)) lines.push(...headers);
    line += String(target);
    return undefined;
  };
  parser[HTTPParser.kOnHeadersComplete] = (_major, _minor, headers, method, target, status) => {
    const fields = pairs(lines.concat(Array.isArray(headers) ? headers : []));
    messages.push({
      method: Number(method ?? -1),
      target: line + String(target ?? ''),
      status: Number(status ?? 0),
      fields,
      body: '',
      trailers: [],
      complete: false,
    });
    lines = [];
    line = '';
    return afterHeaders;
  };
  parser[HTTPParser.kOnBody] = (bytes) => {
    const message = messages.at(-1);
    if (message !== undefined && Buffer.isBuffer(bytes)) message.body += bytes.toString('latin1');
    return undefined;
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    const message = messages.at(-1);
    if (message !== undefined) {
      message.trailers = pairs(lines);
      message.complete = true;
    }
    lines = [];
    line = '';
    return undefined;
  };
  const outcome = parser.execute(Buffer.from(text, 'latin1'));
  const refusal = errorCode(outcome) ?? (ended ? errorCode(parser.finish()) : undefined);
  return { messages, refusal };
}

function pairs(list: readonly unknown[]): ReferenceField[] {
  return Array.from({ length: list.length / 2 }, (_, index) => [String(list[index * 2]), String(list[index * 2 + 1])]);
}

function errorCode(outcome: unknown): string | undefined {
  return outcome instanceof Error ? String(Reflect.get(outcome, 'code')) : undefined;
}
