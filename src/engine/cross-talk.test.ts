import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCrossTalk } from './testing/cross-talk.ts';
import type { TransportKind } from './transport/transport-kind.ts';

const RUNS: readonly (readonly [string, TransportKind, boolean, number, boolean])[] = [
  ['documented sockets', 'documented', false, 300, false],
  ['sockets that read into one buffer', 'onread', false, 300, false],
  ['the quickest sockets', 'handle', false, 300, false],
  ['TLS', 'documented', true, 100, false],
  ['documented sockets through filters', 'documented', false, 200, true],
  ['the quickest sockets through filters', 'handle', false, 200, true],
];

for (const [name, transport, encrypted, clients, changes] of RUNS) {
  test(`with ${clients} clients at once over ${name} no byte reaches anybody but its owner`, async (t) => {
    const seed = 20_260_101;
    t.diagnostic(`seed ${seed}`);
    const findings = await runCrossTalk({ seed, clients, requestsPerClient: 4, largestBytes: 300_000, transport, encrypted, changes });
    assert.deepEqual(findings.foreign, []);
    assert.deepEqual(findings.failures, []);
    assert.equal(findings.exchangesInFlight, 0);
    // The run means something only while most requests get through and all kinds of failures occur.
    assert.ok(findings.answered > clients * 2, `${findings.answered} answers`);
    assert.ok(findings.refused > clients / 10, `${findings.refused} refusals`);
    assert.ok(findings.cut > clients / 10, `${findings.cut} cut off`);
  });
}
