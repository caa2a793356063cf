import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { readResponseWithEngine, readWithEngine } from './engine-reading.ts';
import { validRequest, validResponse } from './message-arbitraries.ts';
import { mutated, randomBytes, randomWords } from './message-mutations.ts';
import { type ReferenceRequestLimits, readReferenceRequest } from './reference-request.ts';
import { type ReferenceResponseLimits, readReferenceResponse } from './reference-response.ts';

/** Something that holds for every input, in the form that the tests and the longer runs share. */
export interface NamedProperty {
  readonly name: string;
  readonly property: fc.IProperty<[string, readonly number[]]>;
  /** How many inputs a test tries. */
  readonly runs: number;
}

/** Limits so near that ordinary messages reach them. */
export const NEAR_LIMITS: ReferenceRequestLimits & ReferenceResponseLimits = {
  targetBytes: 24,
  headBytes: 160,
  headerCount: 5,
  chunkExtensionBytes: 12,
  trailerBytes: 30,
};

const USUAL_RESPONSE_LIMITS: ReferenceResponseLimits = {
  headBytes: DEFAULT_ENGINE_LIMITS.responseHeadBytes,
  headerCount: DEFAULT_ENGINE_LIMITS.responseHeaderCount,
  chunkExtensionBytes: DEFAULT_ENGINE_LIMITS.chunkExtensionBytes,
  trailerBytes: DEFAULT_ENGINE_LIMITS.trailerBytes,
};

const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 8 });

/** The same outcome as the reference parser's, whole and in these pieces. */
export function checkRequest(text: string, points: readonly number[], limits: ReferenceRequestLimits): void {
  const expected = readReferenceRequest(text, limits);
  assert.deepEqual(readWithEngine(text, [], limits), expected);
  assert.deepEqual(readWithEngine(text, points, limits), expected);
}

/** The same for a response, to GET and to HEAD, with and without the end of the connection. */
export function checkResponse(text: string, points: readonly number[], limits: ReferenceResponseLimits): void {
  for (const context of [
    { isHead: false, ended: false },
    { isHead: false, ended: true },
    { isHead: true, ended: false },
  ]) {
    const expected = readReferenceResponse(text, limits, context);
    assert.deepEqual(readResponseWithEngine(text, [], limits, context), expected);
    assert.deepEqual(readResponseWithEngine(text, points, limits, context), expected);
  }
}

function requests(name: string, texts: fc.Arbitrary<string>, runs: number, limits: ReferenceRequestLimits): NamedProperty {
  return { name, runs, property: fc.property(texts, cuts, (text, points) => checkRequest(text, points, limits)) };
}

function responses(name: string, texts: fc.Arbitrary<string>, runs: number, limits: ReferenceResponseLimits): NamedProperty {
  return { name, runs, property: fc.property(texts, cuts, (text, points) => checkResponse(text, points, limits)) };
}

const acceptsValidRequests: NamedProperty = {
  name: 'a valid request is accepted whole, and the next message begins where the generator stopped',
  runs: 2000,
  property: fc.property(validRequest, cuts, (text, points) => {
    checkRequest(text, points, DEFAULT_ENGINE_LIMITS);
    const reading = readWithEngine(`${text}GET /next`, points, DEFAULT_ENGINE_LIMITS);
    assert.equal(reading.kind === 'whole' && reading.end, text.length);
  }),
};

const acceptsValidResponses: NamedProperty = {
  name: 'a valid response is accepted whole',
  runs: 1500,
  property: fc.property(validResponse, cuts, (text, points) => {
    checkResponse(text, points, USUAL_RESPONSE_LIMITS);
    const reading = readResponseWithEngine(text, points, USUAL_RESPONSE_LIMITS, { isHead: false, ended: true });
    assert.equal(reading.kind === 'whole' && reading.end, text.length);
  }),
};

/** The engine's parsers against the reference parsers. */
export const parserProperties: readonly NamedProperty[] = [
  acceptsValidRequests,
  requests('mutated requests', mutated(validRequest), 6000, DEFAULT_ENGINE_LIMITS),
  requests('mutated requests under near limits', mutated(validRequest), 6000, NEAR_LIMITS),
  requests('words of requests', randomWords, 2000, NEAR_LIMITS),
  requests('random bytes as requests', randomBytes, 1500, NEAR_LIMITS),
  acceptsValidResponses,
  responses('mutated responses', mutated(validResponse), 4000, USUAL_RESPONSE_LIMITS),
  responses('mutated responses under near limits', mutated(validResponse), 4000, NEAR_LIMITS),
  responses('words of responses', randomWords, 1000, NEAR_LIMITS),
  responses('random bytes as responses', randomBytes, 1000, NEAR_LIMITS),
];
