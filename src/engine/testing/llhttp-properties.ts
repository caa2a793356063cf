import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { readResponseWithEngine, readWithEngine } from './engine-reading.ts';
import { type LlhttpReading, readRequestsWithLlhttp, readResponsesWithLlhttp } from './llhttp-reading.ts';
import { validRequest, validResponse } from './message-arbitraries.ts';
import { mutated } from './message-mutations.ts';
import { hasRefusedTrailer } from './reference-body.ts';
import type { ReferenceRequest } from './reference-request.ts';
import type { ReferenceResponse, ReferenceResponseContext, ReferenceResponseLimits } from './reference-response.ts';
import { valuesOf } from './reference-scan.ts';

type WholeRequest = Extract<ReferenceRequest, { kind: 'whole' }>;
type WholeResponse = Extract<ReferenceResponse, { kind: 'whole' }>;

const RESPONSE_LIMITS: ReferenceResponseLimits = {
  headBytes: DEFAULT_ENGINE_LIMITS.responseHeadBytes,
  headerCount: DEFAULT_ENGINE_LIMITS.responseHeaderCount,
  chunkExtensionBytes: DEFAULT_ENGINE_LIMITS.chunkExtensionBytes,
  trailerBytes: DEFAULT_ENGINE_LIMITS.trailerBytes,
};

const NEXT_REQUEST = 'GET /next HTTP/1.1\r\nHost: s\r\n\r\n';
const NEXT_RESPONSE = 'HTTP/1.1 299 Next\r\nContent-Length: 0\r\n\r\n';

/** One kind of message that we accept and llhttp does not, with the reason why that is no hole. */
interface Difference {
  readonly why: string;
  readonly refusals: readonly string[];
  applies(message: string): boolean;
}

/** Extensions are read, counted and thrown away; each body is sent on in chunks of our own making, so nobody sees them behind us. */
const EXTENSIONS: Difference = {
  why: 'chunk extensions that are no list of ;name=value, or have white space before the semicolon, which RFC 9112 §7.1.1 allows',
  refusals: ['HPE_STRICT', 'HPE_INVALID_CHUNK_SIZE'],
  applies: (message) => /\r\n[0-9a-f]+(?:[ \t]*;|[ \t]+;)[^\r\n]*\r\n/i.test(message),
};

/** All that llhttp refuses and we accept; a message that is refused for another reason fails the test. */
const REQUEST_DIFFERENCES: readonly Difference[] = [
  {
    why: 'llhttp has a closed list of methods; RFC 9110 §9.1 has none, and the method is sent on as it came',
    refusals: ['HPE_INVALID_METHOD', 'HPE_INVALID_CONSTANT'],
    applies: (message) => !METHODS.includes(/^[^ ]*/.exec(message)?.[0] ?? ''),
  },
  {
    why: 'a minor version above 1 is served as the highest that is known, RFC 9110 §2.5; what is sent on says 1.1',
    refusals: ['HPE_INVALID_VERSION'],
    applies: (message) => /^[^\r]* HTTP\/1\.[2-9]\r\n/.test(message),
  },
  {
    why: 'bytes above ASCII in the target: browsers and upstreams use them, and they are sent on as they came',
    refusals: ['HPE_INVALID_URL'],
    applies: (message) => /^[^\r]*[\x80-\xff]/.test(message),
  },
  {
    why: 'an absolute-form target whose authority has a mark of RFC 3986 that llhttp does not know; it is sent on as Host, in the form checked',
    refusals: ['HPE_INVALID_URL'],
    applies: (message) => /^[^ ]+ https?:\/\//i.test(message),
  },
  {
    why: 'a tab behind "chunked" is optional white space (RFC 9112 §5.1); what is sent on has none',
    refusals: ['HPE_INVALID_TRANSFER_ENCODING'],
    applies: (message) => /\r\ntransfer-encoding:[ \t]*chunked[ ]*\t[ \t]*\r\n/i.test(message),
  },
  EXTENSIONS,
];

/** The same for responses. */
const RESPONSE_DIFFERENCES: readonly Difference[] = [
  {
    why: 'a minor version above 1 is read as the highest that is known, RFC 9110 §2.5',
    refusals: ['HPE_INVALID_VERSION'],
    applies: (message) => /^HTTP\/1\.[2-9]/.test(message),
  },
  EXTENSIONS,
];

/** Whatever request we accept, llhttp reads the same way, unless a listed difference explains its refusal. */
export function checkRequestAgainstLlhttp(text: string): void {
  const reading = readWithEngine(text, [], DEFAULT_ENGINE_LIMITS);
  // Trailers that are refused are judged by the sender of the request, after the parser.
  if (reading.kind !== 'whole' || hasRefusedTrailer(reading.trailers)) return;
  const message = text.slice(0, reading.end);
  const alone = readRequestsWithLlhttp(message);
  if (alone.refusal !== undefined) {
    assertExplained(REQUEST_DIFFERENCES, message.replace(/^(?:\r\n)*/, ''), alone.refusal);
    return;
  }
  // After an upgrade llhttp reads no further, for what follows is another protocol if the answer is 101.
  if (isUpgrade(reading.head.fields)) return;
  assertSameRequest(alone, reading, text);
  const short = readRequestsWithLlhttp(message.slice(0, -1));
  assert.notEqual(short.messages[0]?.complete, true, 'llhttp ends the message earlier');
  if (!reading.head.keepAlive || hasOddOptions(reading.head.fields)) return;
  const { messages, refusal } = readRequestsWithLlhttp(message + NEXT_REQUEST);
  assert.equal(refusal, undefined, 'llhttp refuses what follows');
  assert.deepEqual(
    messages.map(({ target, complete }) => [target, complete]),
    [
      [alone.messages[0]?.target, true],
      ['/next', true],
    ],
  );
}

/** Whatever response we accept, llhttp reads the same way, unless a listed difference explains its refusal. */
function checkResponseAgainstLlhttp(text: string, context: ReferenceResponseContext): void {
  const reading = readResponseWithEngine(text, [], RESPONSE_LIMITS, context);
  // A 1xx is followed by more; trailers that say how to frame a message are never sent on, and llhttp judges some by their values.
  if (reading.kind !== 'whole' || reading.head.status < 200 || hasRefusedTrailer(reading.trailers)) return;
  const message = text.slice(0, reading.end);
  // llhttp takes a coding with a tab behind it for another coding, and reads to the end of the connection; we send on neither.
  if (/\r\ntransfer-encoding:[ \t]*chunked[ ]*\t[ \t]*\r\n/i.test(message)) return;
  const alone = readResponsesWithLlhttp(message, { ...context, ended: true });
  if (alone.refusal !== undefined) {
    assertExplained(RESPONSE_DIFFERENCES, message, alone.refusal);
    return;
  }
  const [first] = alone.messages;
  assert.equal(first?.complete, true);
  assert.deepEqual([first?.status, first?.fields, first?.body, first?.trailers], responseParts(reading));
  if (!reading.head.keepAlive || hasOddOptions(reading.head.fields) || isReadToTheEnd(reading, context)) return;
  const { messages, refusal } = readResponsesWithLlhttp(message + NEXT_RESPONSE, context);
  assert.equal(refusal, undefined);
  assert.deepEqual(
    messages.map(({ status, complete }) => [status, complete]),
    [
      [reading.head.status, true],
      [299, true],
    ],
  );
}

/** Both, for any number of runs. */
export const requestAgainstLlhttp = fc.property(fc.oneof(validRequest, mutated(validRequest)), checkRequestAgainstLlhttp);
export const responseAgainstLlhttp = fc.property(fc.oneof(validResponse, mutated(validResponse)), fc.boolean(), (text, isHead) =>
  checkResponseAgainstLlhttp(text, { isHead, ended: true }),
);

function assertSameRequest({ messages }: LlhttpReading, reading: WholeRequest, text: string): void {
  const [message] = messages;
  assert.equal(messages.length, 1);
  assert.equal(message?.complete, true);
  const { head } = reading;
  const absolute = message?.target.startsWith('/') === false && message.target !== '*';
  const target = absolute ? message.target.replace(/^https?:\/\/[^/]*/i, '') || (head.method === 'OPTIONS' ? '' : '/') : message?.target;
  assert.deepEqual(
    [target, message?.fields, message?.body, message?.trailers],
    [head.target, head.fields, reading.body, reading.trailers],
    JSON.stringify(text),
  );
}

function responseParts({ head, body, trailers }: WholeResponse): readonly unknown[] {
  return [head.status, head.fields, body, trailers];
}

function isReadToTheEnd({ head }: WholeResponse, { isHead }: ReferenceResponseContext): boolean {
  return !isHead && head.framing === 'close' && head.status !== 204 && head.status !== 304;
}

function isUpgrade(fields: WholeRequest['head']['fields']): boolean {
  const upgrades = valuesOf(fields, 'connection').some((value) => /(?:^|[, \t])upgrade(?:[, \t]|$)/i.test(value));
  return upgrades && valuesOf(fields, 'upgrade').length > 0;
}

/** A Connection field that is no list of tokens: we take white space for a separator as well, so we may keep what llhttp would close. */
function hasOddOptions(fields: WholeRequest['head']['fields']): boolean {
  return valuesOf(fields, 'connection').some((value) => !/^[ \t]*(?:[^ \t,]*[ \t]*,[ \t]*)*[^ \t,]*$/.test(value));
}

function assertExplained(differences: readonly Difference[], message: string, refusal: string): void {
  const explained = differences.some(({ refusals, applies }) => refusals.includes(refusal) && applies(message));
  assert.ok(explained, `llhttp refuses with ${refusal} what we accept: ${JSON.stringify(message)}`);
}
