import fc from 'fast-check';

/** What a body consists of, so that a part of one which is taken for a request shows. */
const INNER = 'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n';
export const LONGEST_BODY = 100;

const DECISIONS = [
  'respond',
  'abort',
  'find no node',
  'collect',
  'collect too much',
  'collect the start',
  'forget the collecting',
] as const;

/** A request, and what is decided about it. */
export interface DecidedRequest {
  readonly decision: (typeof DECISIONS)[number];
  /** The decision comes in a later turn. */
  readonly late: boolean;
  readonly framing: 'none' | 'length' | 'chunked';
  readonly bodyBytes: number;
}

export const decidedRequest = fc.record<DecidedRequest>({
  decision: fc.constantFrom(...DECISIONS),
  late: fc.boolean(),
  framing: fc.constantFrom('none', 'length', 'chunked'),
  bodyBytes: fc.nat(LONGEST_BODY),
});

function bodyOf({ framing, bodyBytes }: DecidedRequest): string {
  return framing === 'none' ? '' : INNER.repeat(4).slice(0, bodyBytes);
}

/** What the client sends. */
export function textOf(sent: DecidedRequest, number: number): string {
  const body = bodyOf(sent);
  const start = `POST /${number} HTTP/1.1\r\nHost: a\r\n`;
  if (sent.framing === 'none') return `${start}\r\n`;
  if (sent.framing === 'length') return `${start}Content-Length: ${body.length}\r\n\r\n${body}`;
  const half = body.length >> 1;
  const chunks = [body.slice(0, half), body.slice(half)].filter((chunk) => chunk !== '');
  return `${start}Transfer-Encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
}

/** Status and body that the client is to get. */
export function expectedAnswer(sent: DecidedRequest, number: number): string {
  const body = bodyOf(sent);
  switch (sent.decision) {
    case 'respond':
    case 'forget the collecting':
      return `200 /${number}`;
    case 'collect':
      return `200 ${body}`;
    case 'collect the start':
      return `200 ${body.slice(0, 10)}`;
    case 'collect too much':
      return `200 ${body.length > 10 ? 'too-large' : body}`;
    case 'abort':
    case 'find no node':
      return '503';
  }
}
