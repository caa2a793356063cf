import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type LiveProperty, startForwarder } from './live-property.ts';
import { validResponse } from './message-arbitraries.ts';
import { mutated, randomWords } from './message-mutations.ts';
import { predictAnswer, relayedFields } from './predicted-exchange.ts';
import { readReferenceResponse } from './reference-response.ts';
import { startScriptedUpstream } from './scripted-upstream.ts';
import { sendRaw } from './send-raw.ts';

const LIMITS = { headBytes: 100_000, headerCount: 1000, chunkExtensionBytes: 4096, trailerBytes: 8192 };

/** The client gets what the reference parser says or a failure, and the next client its own answer. */
function responses(name: string, texts: fc.Arbitrary<string>, runs: number): LiveProperty {
  const start: LiveProperty['start'] = async (end) => {
    const upstream = await startScriptedUpstream(end);
    const engine = await startForwarder(end, upstream.port);
    let number = 0;
    return fc.asyncProperty(texts, async (text) => {
      upstream.script = text;
      const predicted = predictAnswer(text);
      const outcome = await sendRaw(engine.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { staysOpen: false });
      const final = withoutInterim(outcome.text);
      const reading = readReferenceResponse(final, LIMITS, { isHead: false, ended: true });
      if (predicted.kind === 'cut off') {
        assert.notEqual(reading.kind, 'whole', outcome.text);
      } else if (predicted.kind === 'bad gateway') {
        assert.deepEqual(outcome.statuses, [502], outcome.text);
      } else {
        assert.equal(reading.kind, 'whole', outcome.text);
        const { response } = predicted;
        if (reading.kind === 'whole') {
          assert.equal(reading.head.status, response.head.status);
          assert.equal(reading.body, response.body);
          assert.deepEqual(relayedFields(reading.head), relayedFields(response.head));
          assert.equal(reading.end, final.length, 'nothing follows');
        }
      }
      const stamp = `/stamp-${++number}`;
      const next = await sendRaw(engine.port, `GET ${stamp} HTTP/1.1\r\nHost: b\r\n\r\n`);
      assert.deepEqual(next.statuses, [200]);
      assert.ok(next.text.endsWith(`\r\n\r\n${stamp}`), next.text);
      assert.deepEqual(engine.failures, []);
    });
  };
  return { name, runs, start };
}

function withoutInterim(text: string): string {
  let rest = text;
  while (/^HTTP\/1\.1 1/.test(rest)) rest = rest.slice(rest.indexOf('\r\n\r\n') + 4);
  return rest;
}

/** Texts of an upstream that passed through a live engine. */
export const responseRoundTrips: readonly LiveProperty[] = [
  responses('valid responses', validResponse, 250),
  responses('mutated responses', mutated(validResponse), 500),
  responses('words of responses', randomWords, 50),
];
