/** RFC 9110 §5.5 */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const STATUS = /^[1-9]\d\d$/;
const REFUSED: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** How the body of an answer goes on to the engine. */
export type AnswerBody = 'none' | 'length' | 'chunked';

/** An answer of HTTP/2 as the engine reads answers. */
export interface UpstreamAnswer {
  /** The head as HTTP/1.1, one byte a character, up to and with the empty line. */
  readonly head: string;
  readonly body: AnswerBody;
  /** Bytes of the body where `body` is `length`. */
  readonly contentLength: number;
}

/** The head of a final answer of HTTP/2. */
export interface FinalHead {
  readonly status: number;
  /** Name and value in turn, without the status. */
  readonly fields: readonly string[];
  /** Nothing follows. */
  readonly endsHere: boolean;
  /** It answers HEAD. */
  readonly isHead: boolean;
}

/** Writes a final answer; undefined where its fields are none that HTTP/1.1 could carry. */
export function upstreamAnswer({ status, fields, endsHere, isHead }: FinalHead): UpstreamAnswer | undefined {
  // Behind a length HTTP/1.1 has no place for trailer fields, and without them a call of gRPC has no outcome.
  const isGrpc = !endsHere && isGrpcType(fields);
  const lines = fieldLines(fields, isGrpc ? 'content-length' : undefined);
  if (lines === undefined || status < 200 || status > 999) return undefined;
  const length = isGrpc ? undefined : lengthOf(fields);
  const hasLength = length !== undefined;
  const body = endsHere ? 'none' : hasLength ? 'length' : 'chunked';
  // RFC 9110 §8.6: where no body can be, a length would tell that of another answer.
  const isBare = hasLength || isHead || status === 204 || status === 304;
  const framing = body === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : isBare ? '' : 'Content-Length: 0\r\n';
  return { head: `HTTP/1.1 ${status} \r\n${lines}${framing}\r\n`, body, contentLength: length ?? 0 };
}

/** Writes an interim answer; undefined as above. */
export function interimAnswer(status: number, fields: readonly string[]): string | undefined {
  const lines = fieldLines(fields);
  return lines === undefined ? undefined : `HTTP/1.1 ${status} \r\n${lines}\r\n`;
}

/** The status that a head of an answer begins with (RFC 9113 §8.3.2); undefined where there is none. */
export function statusOf(fields: readonly string[]): number | undefined {
  const value = fields[0] === ':status' ? fields[1] : undefined;
  return value !== undefined && STATUS.test(value) ? Number(value) : undefined;
}

/** Fields, without those of the name `leftOut`, as lines of HTTP/1.1; undefined where one could be read as anything else. */
export function fieldLines(fields: readonly string[], leftOut?: string): string | undefined {
  let lines = '';
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    if (name === leftOut) continue;
    if (!NAME.test(name) || !VALUE.test(value) || REFUSED.has(name)) return undefined;
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** NaN where it is none, which the engine refuses. */
function lengthOf(fields: readonly string[]): number | undefined {
  const index = fields.findIndex((name, at) => at % 2 === 0 && name === 'content-length');
  return index === -1 ? undefined : Number(fields[index + 1]);
}

function isGrpcType(fields: readonly string[]): boolean {
  return fields.some(
    (name, index) => index % 2 === 0 && name === 'content-type' && fields[index + 1]?.startsWith('application/grpc') === true,
  );
}
