import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { PLUGINS } from '../testing/blocking-plugin.ts';
import { spareReady } from '../testing/failing-worker.ts';
import { routeItem, serviceItem } from '../testing/guide-items.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway } from '../testing/test-gateway.ts';
import { startTestUpstream } from '../testing/test-upstream.ts';

const upstream = await startTestUpstream({ after });
const module = new URL('../testing/blocking-plugin.ts', import.meta.url).href;
const gateway = await startTestGateway({ after }, { testPlugins: { plugins: PLUGINS, module } });
await gateway.load([routeItem('blocked', { paths: ['/*'], plugins: { blocking: {}, harmless: {} } }), serviceItem(upstream.port)]);
await gateway.agent.whenReady();

for (const phase of ['headerFilter', 'bodyFilter', 'log']) {
  test(`a worker that a plugin blocks in ${phase} is replaced, and the log names that plugin and its route`, async () => {
    await spareReady(gateway);
    const deaths = () => gateway.log.lines.filter(({ message }) => message.startsWith('a worker thread ended'));
    const before = deaths().length;
    const asked = sendRequest(gateway.httpPort, { target: '/x', headers: [`X-Block: ${phase}`] }).catch(() => undefined);
    while (deaths().length === before) await new Promise((resolve) => setImmediate(resolve));
    await asked;
    const fields = deaths().at(-1)?.fields;
    assert.deepEqual([fields?.last_route, fields?.last_plugin], ['blocked', 'blocking']);
    assert.equal(fields?.cause, 'its heartbeat was silent for 2 s');
  });
}
