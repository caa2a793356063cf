import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { httpAnswer, startMockUpstream } from '../../test-support/mock-upstream.ts';
import type { JsonObject } from '../lib/json.ts';
import type { SnapshotChange, SnapshotItem } from '../schema/index.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';

const worker = { httpDescriptors: [], httpsDescriptors: [] };
const gateway = await startTestGateway({ after }, { workers: [worker, worker] });
/** Enough that a change of them all is swapped whole. */
const OTHERS = 300;
const CHANGES = 40;

function put(kind: 'service' | 'route', id: string, value: JsonObject): SnapshotChange & { readonly op: 'put' } {
  return { op: 'put', item: { kind, id, value } };
}

function route(id: string, paths: readonly string[], more: JsonObject = {}): SnapshotItem {
  return put('route', id, { name: id, service_id: 's', paths: [...paths], ...more }).item;
}

const others = (tag: string): readonly SnapshotItem[] =>
  Array.from({ length: OTHERS }, (_, index) => route(`other-${index}`, [`/others/${tag}-${index}/:id`]));

test('no request fails while routes change, alone and by hundreds, and each meets one configuration as a whole', async (t) => {
  const upstream = await startMockUpstream(t, ({ target }) => httpAnswer(200, target));
  const service = put('service', 's', { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port: upstream.port, weight: 1 }] } });
  // Of two routes that change together, one asks the opposite of the other: whoever sees both of one time is taken by one of them.
  const pair = (turn: number): readonly SnapshotItem[] => {
    const [one, other] = turn % 2 === 0 ? ['==', '~='] : ['~=', '=='];
    return [
      route('one', ['/pair/:id', `/pair/:id/${turn}`], { vars: [['uri_param_id', one ?? '', '7']], priority: turn }),
      route('other', ['/pair/*rest'], { vars: [['arg_id', other ?? '', '7']] }),
    ];
  };
  await gateway.load([service.item, route('stable', ['/stable/:id']), ...pair(0), ...others('first')]);
  await gateway.agent.whenReady();
  let isOver = false;
  let requests = 0;
  const failures: string[] = [];
  const ask = async (target: string): Promise<void> => {
    const { status, body } = await sendRequest(gateway.httpPort, { target });
    requests++;
    if (status !== 200 || body !== target) failures.push(`${target} ${status} ${body}`);
  };
  const clients = ['/stable/1', '/stable/2?x', '/pair/7?id=7', '/pair/8?id=8'].map(async (target) => {
    while (!isOver) await ask(target);
  });
  for (let turn = 1; turn <= CHANGES; turn++) {
    const large = turn % 10 === 0 ? others(`turn-${turn}`) : [];
    await gateway.change(...[...pair(turn), ...large].map((item): SnapshotChange => ({ op: 'put', item })));
    await ask(turn < 10 ? '/pair/7?id=7' : `/others/turn-${turn - (turn % 10)}-${turn}/x`);
  }
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual(failures, []);
  assert.ok(requests > CHANGES, `${requests} requests`);
  assert.equal((await sendRequest(gateway.httpPort, { target: '/others/first-1/x' })).status, 404);
});
