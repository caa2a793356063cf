import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHttp2Fuzz } from '../testing/http2-fuzz/run-http2-fuzz.ts';

for (const encrypted of [false, true])
  test(`hostile clients of HTTP/2 ${encrypted ? 'over TLS' : 'in clear'} end their own streams and connections at worst`, async (t) => {
    const seed = 20_261_127;
    t.diagnostic(`seed ${seed}`);
    const connections = 24;
    const callsPerConnection = 30;
    const findings = await runHttp2Fuzz({ seed, connections, atOnce: 8, callsPerConnection, largestBytes: 150_000, encrypted });
    assert.deepEqual(findings.problems, []);
    assert.deepEqual(findings.failures, []);
    assert.equal(findings.exchangesInFlight, 0);
    // The run means something only while most calls get through and all kinds of ends occur.
    assert.ok(findings.calls >= connections * callsPerConnection);
    assert.ok(findings.answered > findings.calls / 2, `${findings.answered} answers`);
    assert.ok(findings.cancelled > connections, `${findings.cancelled} cancelled`);
    assert.ok(findings.ended > connections / 4, `${findings.ended} connections ended`);
  });
