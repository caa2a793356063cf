import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FuzzFindings } from '../src/engine/testing/http2-fuzz/fuzz-client.ts';
import { openFuzzSocket, runHttp2FuzzClients, startFuzzUpstream } from '../src/engine/testing/http2-fuzz/run-http2-fuzz.ts';
import { runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

test('no hostile client of HTTP/2 ends the gateway process, a worker of it, or a call of somebody else', async (t) => {
  const seed = 20_261_128;
  t.diagnostic(`seed ${seed}`);
  const findings: FuzzFindings = { problems: [], calls: 0, answered: 0, cancelled: 0, ended: 0 };
  const upstream = await startFuzzUpstream(seed, findings.problems);
  t.after(() => upstream.stop());
  const flags = ['--no-demo', '--http2-cleartext'];
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), flags });
  const nodes = [{ host: '127.0.0.1', port: upstream.port, weight: 1 }];
  for (const [resource, body] of [
    ['services/s', { name: 's', upstream: { nodes } }],
    ['routes/r', { name: 'r', paths: ['/*'], service_id: 's' }],
  ] as const) {
    const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
  }
  const gateway = instance.child('gateway');
  const options = { seed, connections: 40, atOnce: 10, callsPerConnection: 40, largestBytes: 150_000 };
  await runHttp2FuzzClients(options, findings, () => openFuzzSocket(instance.ports.http, false));
  assert.deepEqual(findings.problems, []);
  assert.ok(findings.answered > findings.calls / 2, `${findings.answered} answers`);
  assert.equal(instance.child('gateway'), gateway);
  assert.doesNotMatch(instance.stdout + instance.stderr, /a worker thread ended/);
  assert.equal(await instance.stop(), 0);
});
