import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { type LiveProperty, startForwarder } from './live-property.ts';
import { validRequest } from './message-arbitraries.ts';
import { mutated, randomBytes, randomWords } from './message-mutations.ts';
import { describeReceived, predictForwarded, predictRequests } from './predicted-exchange.ts';
import { startRecordingUpstream } from './recording-upstream.ts';
import { readReferenceRequest } from './reference-request.ts';
import { sendRaw } from './send-raw.ts';

/** An answer to HEAD can only be read by who knows the request; the tests of answers have those. */
function asksForNoBody(text: string): boolean {
  return text.includes('HEAD ');
}

const NOT_WHOLE = 'not a whole request';

function receivedRequests(text: string): string[] {
  const found: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const reading = readReferenceRequest(rest, DEFAULT_ENGINE_LIMITS);
    if (reading.kind !== 'whole') return [...found, `${NOT_WHOLE}: ${JSON.stringify(rest)}`];
    found.push(describeReceived(reading));
    rest = rest.slice(reading.end);
  }
  return found;
}

/** The upstream gets what the reference parser says, and the next request on the connection its own answer. */
function requests(name: string, texts: fc.Arbitrary<string>, runs: number): LiveProperty {
  const start: LiveProperty['start'] = async (end) => {
    const upstream = await startRecordingUpstream();
    end.after(() => upstream.close());
    const engine = await startForwarder(end, upstream.port);
    let number = 0;
    return fc.asyncProperty(texts, async (text) => {
      fc.pre(!asksForNoBody(text));
      upstream.clear();
      const sent = `${text}GET /stamp-${++number} HTTP/1.1\r\nHost: s\r\n\r\n`;
      const predicted = predictRequests(sent);
      // HTTP/1.0 without Host goes on with an empty one (RFC 9112 §3.2), which this strict upstream refuses.
      fc.pre(predicted.requests.every(({ head }) => head.host !== ''));
      const outcome = await sendRaw(engine.port, sent);
      assert.deepEqual(outcome.statuses, predicted.statuses);
      const received = receivedRequests(upstream.received());
      if (predicted.partial && received.at(-1)?.startsWith(NOT_WHOLE)) received.pop();
      assert.deepEqual(received, predicted.requests.map(predictForwarded));
      const targets = [...outcome.text.matchAll(/\r\nX-Target: ([^\r]*)\r\n/g)].map(([, target]) => target);
      assert.deepEqual(
        targets,
        predicted.requests.map(({ head }) => head.target),
      );
      assert.deepEqual(engine.failures, []);
      assert.equal(engine.server.exchangesInFlight, 0);
    });
  };
  return { name, runs, start };
}

/** Texts of a client that passed through a live engine. */
export const requestRoundTrips: readonly LiveProperty[] = [
  requests('valid requests', validRequest, 250),
  requests('mutated requests', mutated(validRequest), 500),
  requests('words of requests', randomWords, 100),
  requests('random bytes', randomBytes, 50),
];
