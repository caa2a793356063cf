import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeExchange } from '../testing/fake-exchange.ts';
import { createTestRuntime, putInForce, routeChange, serviceChange } from '../testing/test-runtime.ts';
import { ClientFacts } from './client-facts.ts';
import { matchRoute } from './route-match.ts';

/** What a connection or a cached path keeps alive besides its own bytes. */
const MOST_BYTES = 1024;

test('texts that outlive a request hold no block of memory shared with others', async () => {
  const runtime = createTestRuntime();
  await putInForce(runtime, [serviceChange(), routeChange('a', ['/*'])]);
  const { head, connection } = new FakeExchange('GET /a/../b');
  const { addressLines, logText } = new ClientFacts(connection.remoteAddress, 'usual');
  const match = matchRoute(runtime, head, connection);
  const [candidate] = match.candidates;
  assert.ok(candidate?.newPathBytes);
  const texts = [addressLines, logText, match.forwardedLines, match.logText, candidate.newPathBytes, candidate.logText];
  for (const text of texts) assert.ok(text.buffer.byteLength <= MOST_BYTES, `${text.toString()} is in ${text.buffer.byteLength} bytes`);
  assert.equal(match.forwardedLines.toString(), 'X-Forwarded-Proto: http\r\nX-Forwarded-Host: test\r\nX-Forwarded-Port: 9080\r\n');
  assert.equal(match.logText.toString(), ',"method":"GET","path":"/a/../b"');
});
