import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkRequestAgainstLlhttp, requestAgainstLlhttp, responseAgainstLlhttp } from '../testing/llhttp-properties.ts';
import { hostileHeads, validHeads } from '../testing/request-head-corpus.ts';

describe('what the parsers accept, llhttp accepts with the same target, fields, body, trailers and end', () => {
  test('requests', () => {
    fc.assert(requestAgainstLlhttp, { numRuns: 8000 });
  });

  test('responses', () => {
    fc.assert(responseAgainstLlhttp, { numRuns: 8000 });
  });

  test('the corpus of heads', () => {
    for (const { bytes } of [...hostileHeads, ...validHeads]) checkRequestAgainstLlhttp(bytes.toString('latin1'));
  });
});
