import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { readReferenceResponse } from '../testing/reference-response.ts';
import { relayInPieces } from '../testing/relay-subject.ts';
import { bodyFilterOf, filterOf, TEST_FILTERS, type TestFilter } from '../testing/test-filters.ts';
import { RELAY } from './relay-status.ts';

const LIMITS = {
  headBytes: DEFAULT_ENGINE_LIMITS.responseHeadBytes,
  headerCount: DEFAULT_ENGINE_LIMITS.responseHeaderCount,
  chunkExtensionBytes: DEFAULT_ENGINE_LIMITS.chunkExtensionBytes,
  trailerBytes: DEFAULT_ENGINE_LIMITS.trailerBytes,
};

type Framing = 'length' | 'chunked' | 'close';
const FRAMINGS: readonly Framing[] = ['length', 'chunked', 'close'];

function responseOf(framing: Framing, pieces: readonly string[]): string {
  const body = pieces.join('');
  const head = 'HTTP/1.1 200 OK\r\nX-Up: 1\r\n';
  if (framing === 'close') return `${head}\r\n${body}`;
  if (framing === 'length') return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunks = pieces.filter((piece) => piece !== '').map((piece) => `${piece.length.toString(16)};x=y\r\n${piece}\r\n`);
  return `${head}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\nX-Sum: 9\r\nContent-Type: no\r\n\r\n`;
}

/** What the client makes of the answer. `brackets` are left out: where they stand depends on the pieces. */
async function checkRelay(framing: Framing, pieces: readonly string[], cuts: readonly number[], filter: TestFilter, minorVersion: 0 | 1) {
  const response = responseOf(framing, pieces);
  const answer = await relayInPieces(response, cuts, bodyFilterOf(filter.make), { minorVersion, isHead: false });
  assert.deepEqual(answer.failures, []);
  assert.equal(answer.status, RELAY.done);
  const reading = readReferenceResponse(answer.text, LIMITS, { isHead: false, ended: true });
  assert.equal(reading.kind, 'whole', answer.text);
  if (reading.kind !== 'whole') return;
  assert.equal(reading.end, answer.text.length);
  assert.equal(reading.head.framing, minorVersion === 1 ? 'chunked' : 'close');
  assert.equal(reading.body.replaceAll(/[<>]/g, ''), filter.expected(pieces.join('')));
  assert.deepEqual(reading.trailers, framing === 'chunked' && minorVersion === 1 ? [['X-Sum', '9']] : []);
  assert.equal(answer.bodyBytesToClient, answer.text.length - answer.text.indexOf('\r\n\r\n') - 4);
}

describe('a filtered answer is the same wherever the response is cut', () => {
  for (const filter of TEST_FILTERS) {
    for (const framing of FRAMINGS) {
      test(`one that ${filter.name}, ${framing}`, async () => {
        const pieces = ['a', 'bcd', 'efghijklmnopqrstuvw'];
        const { length } = responseOf(framing, pieces);
        for (let cut = 0; cut <= length; cut++) await checkRelay(framing, pieces, [cut], filter, cut % 2 === 0 ? 1 : 0);
        const everywhere = Array.from({ length }, (_, index) => index);
        await checkRelay(framing, pieces, everywhere, filter, 1);
        await checkRelay(framing, [], everywhere, filter, 1);
      });
    }
  }

  test('any body, in any pieces', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...FRAMINGS),
      fc.array(fc.stringMatching(/^[a-z ]{0,40}$/), { maxLength: 6 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 8 }),
      fc.constantFrom(...TEST_FILTERS),
      fc.constantFrom<0 | 1>(0, 1),
      checkRelay,
    );
    await fc.assert(property, { numRuns: 300 });
  });
});

test('what is pushed while one call is answered is one chunk', async () => {
  const filter = bodyFilterOf(() => ({
    write: (chunk, push) => {
      push(Buffer.from('['));
      push(chunk);
      push(Buffer.from(']'));
    },
    end: (push) => push(Buffer.from('!')),
  }));
  const { text } = await relayInPieces('HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 3\r\n\r\nabc', [], filter, {
    minorVersion: 1,
    isHead: false,
  });
  assert.equal(text, 'HTTP/1.1 200 OK\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n[abc]!\r\n0\r\n\r\n');
});

test('edits alone leave the framing as it was', async () => {
  const filter = filterOf((head) => {
    head.setHeader('X-New', 'v');
    return undefined;
  });
  for (const framing of FRAMINGS) {
    const response = responseOf(framing, ['ab', 'cd']);
    const edited = await relayInPieces(response, [], filter, { minorVersion: 1, isHead: false });
    const plain = await relayInPieces(response, [], undefined, { minorVersion: 1, isHead: false });
    assert.equal(edited.text, plain.text.replace('Date:', 'X-New: v\r\nDate:'));
  }
});
