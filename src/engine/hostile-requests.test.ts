import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestCertificate } from '../../test-support/test-certificate.ts';
import { DEFAULT_ENGINE_LIMITS } from './engine-options.ts';
import type { Exchange } from './exchange.ts';
import { fixedTerms } from './testing/fixed-terms.ts';
import { hostileRequests, SMUGGLED, UNAUTHORISED_PATH } from './testing/hostile-requests.ts';
import { type RecordingUpstream, startRecordingUpstream } from './testing/recording-upstream.ts';
import { readReferenceRequest } from './testing/reference-request.ts';
import { sendRaw } from './testing/send-raw.ts';
import { startEngine, type TestEngine } from './testing/test-engine.ts';
import { answerOf, planTo } from './testing/test-handler.ts';
import type { TlsChooser } from './tls/server-terms.ts';

type TestEnd = Parameters<typeof startEngine>[0];

/** An engine that answers what is not authorised by itself and forwards all else. */
async function startGuard(t: TestEnd, tls?: TlsChooser): Promise<{ readonly engine: TestEngine; readonly upstream: RecordingUpstream }> {
  const upstream = await startRecordingUpstream();
  t.after(() => upstream.close());
  const engine = await startEngine(
    t,
    (exchange) => {
      if (targetOf(exchange).startsWith(UNAUTHORISED_PATH)) exchange.respond(answerOf(401, 'no', 'key_missing'));
      else exchange.forward(planTo(target));
    },
    { tls },
  );
  const target = engine.pool.target('127.0.0.1', upstream.port);
  return { engine, upstream };
}

function targetOf({ head }: Exchange): string {
  return head?.bytes.toString('latin1', head.targetStart, head.targetEnd) ?? '';
}

/** The whole requests in what an upstream received. */
function wholeRequests(text: string): readonly string[] {
  const requests: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const reading = readReferenceRequest(rest, DEFAULT_ENGINE_LIMITS);
    if (reading.kind !== 'whole') break;
    requests.push(`${reading.head.method} ${reading.head.target}`);
    rest = rest.slice(reading.end);
  }
  return requests;
}

describe('a hostile request in one piece: every answer, and every byte that the upstream got', () => {
  for (const { name, text, statuses, forwarded } of hostileRequests) {
    test(name, async (t) => {
      const { engine, upstream } = await startGuard(t);
      const outcome = await sendRaw(engine.port, text + SMUGGLED);
      assert.deepEqual(outcome.statuses, statuses, outcome.text);
      assert.equal(upstream.received(), forwarded);
      assert.deepEqual(engine.failures, []);
      assert.equal(engine.server.exchangesInFlight, 0);
    });
  }
});

describe('a hostile request over TLS: the same answers, and every byte that the upstream got', async () => {
  const terms = fixedTerms(await createTestCertificate());
  for (const { name, text, statuses, forwarded } of hostileRequests) {
    test(name, async (t) => {
      const { engine, upstream } = await startGuard(t, terms);
      const outcome = await sendRaw(engine.port, text + SMUGGLED, { tls: true });
      assert.deepEqual(outcome.statuses, statuses, outcome.text);
      assert.deepEqual(upstream.requests(), wholeRequests(forwarded));
      assert.deepEqual(engine.failures, []);
    });
  }
});

describe('a hostile request in small pieces: the same answers, and no other whole request', () => {
  for (const { name, text, statuses, forwarded } of hostileRequests) {
    test(name, async (t) => {
      const { engine, upstream } = await startGuard(t);
      const pieceBytes = text.length > 2000 ? 1499 : 7;
      const outcome = await sendRaw(engine.port, text + SMUGGLED, { pieceBytes });
      assert.deepEqual(outcome.statuses, statuses, outcome.text);
      assert.deepEqual(upstream.requests(), wholeRequests(forwarded));
      assert.deepEqual(engine.failures, []);
    });
  }
});
