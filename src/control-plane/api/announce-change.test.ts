import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { waitMsOf } from './wait-preference.ts';

const PATH = '/apisix/admin/consumers/jack';
const body = { username: 'jack' };

test('an answer says which revision it made and how many gateways have it', async (t) => {
  const admin = await makeAdminFixture(t);
  admin.announcer.result = { applied: 3, expected: 3, lagging: [] };
  const put = await admin.send('PUT', PATH, { body });
  assert.deepEqual([put.headers['portcullis-revision'], put.headers['portcullis-applied']], ['1', '3/3']);
  admin.announcer.result = { applied: 1, expected: 3, lagging: ['gw-2', 'gw 3;\r\nX: y'] };
  const removed = await admin.send('DELETE', PATH);
  assert.equal(removed.headers['portcullis-revision'], '2');
  assert.equal(removed.headers['portcullis-applied'], '1/3; lagging=gw-2,gw_3___X__y');
  assert.deepEqual(admin.announcer.announced, [
    { groupId: 'default', revision: 1 },
    { groupId: 'default', revision: 2 },
  ]);
  assert.equal((await admin.store.getGroup('default'))?.revision, 2);
});

test('an answer says why an instance cannot put the change in force', async (t) => {
  const admin = await makeAdminFixture(t);
  const facts = { groupId: 'default', revision: 0, state: 'lagging', connectedAtMs: 1, softwareVersion: '1' } as const;
  admin.announcer.result = { applied: 0, expected: 2, lagging: ['gw 1', 'gw-2'] };
  admin.announcer.connected = [
    { ...facts, instanceId: 'gw 1', refused: { revision: 1, reason: 'route r: "x"\r\nY: z\u00fc' } },
    { ...facts, instanceId: 'gw-2', refused: { revision: 0, reason: 'an earlier one' } },
  ];
  const put = await admin.send('PUT', PATH, { body });
  assert.equal(put.headers['portcullis-applied'], `0/2; lagging=gw_1,gw-2; refused="gw_1: route r: 'x'  Y: z "`);
});

test('an answer says why instances of other control planes cannot put the change in force, a few and in short', async (t) => {
  const admin = await makeAdminFixture(t);
  const refusedElsewhere = [1, 2, 3, 4, 5, 6].map((number) => ({
    instanceId: `gw-${number}`,
    refused: { revision: 1, reason: 'x'.repeat(1_024) },
  }));
  admin.announcer.result = { applied: 0, expected: 6, lagging: ['gw-1'], refusedElsewhere };
  const put = await admin.send('PUT', PATH, { body });
  const named = [1, 2, 3, 4, 5].map((number) => `; refused="gw-${number}: ${'x'.repeat(300)}"`);
  assert.equal(put.headers['portcullis-applied'], `0/6; lagging=gw-1${named.join('')}`);
});

test('a refused write is not announced', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', PATH, { body: { username: 7 } });
  await admin.send('DELETE', PATH);
  assert.deepEqual(admin.announcer.announced, []);
});

test('Prefer says how long to wait', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', PATH, { body });
  await admin.send('PUT', PATH, { body, headers: { prefer: 'wait=0' } });
  await admin.send('PUT', PATH, { body, headers: { prefer: 'respond-async, wait=7' } });
  assert.deepEqual(
    admin.announcer.waits.map((wait) => wait.timeoutMs),
    [1_000, 0, 7_000],
  );
});

test('a preference is bounded, and a malformed one ignored', () => {
  for (const [prefer, expected] of [
    [undefined, 1_000],
    ['wait=0', 0],
    ['wait=30', 30_000],
    ['wait=31', 30_000],
    ['wait=999999999', 30_000],
    ['WAIT = "5"', 5_000],
    ['wait=0.25', 1_000],
    ['return=minimal, wait=2; x=y', 2_000],
    ['wait=2, wait=3', 2_000],
    ['wait', 1_000],
    ['wait=', 1_000],
    ['wait=-1', 1_000],
    ['wait=1e9', 1_000],
    ['wait=5s', 1_000],
    ['await=5', 1_000],
    ['', 1_000],
  ] as const) {
    assert.equal(waitMsOf(prefer), expected, String(prefer));
  }
});

test('a change that is committed is never reported as failed', async (t) => {
  const admin = await makeAdminFixture(t);
  admin.announcer.result = new Error('the publisher broke');
  const put = await admin.send('PUT', PATH, { body });
  assert.deepEqual([put.status, put.headers['portcullis-revision'], put.headers['portcullis-applied']], [200, '1', undefined]);
  assert.equal(admin.log.lines.filter((line) => line.level === 'error').length, 1);
});

test('no answer waits on when the control plane is about to end', async (t) => {
  const admin = await makeAdminFixture(t);
  const { promise: waiting, resolve: isWaiting } = Promise.withResolvers<void>();
  const announcer = admin.announcer;
  announcer.waitApplied = async (_groupId, _revision, timeoutMs) => {
    if (timeoutMs === 0) return { applied: 0, expected: 1, lagging: ['gw'] };
    isWaiting();
    return new Promise(() => undefined);
  };
  const answer = admin.send('PUT', PATH, { body, headers: { prefer: 'wait=30' } });
  await waiting;
  admin.stopping.abort();
  assert.equal((await answer).headers['portcullis-applied'], '0/1; lagging=gw');
  assert.equal((await admin.send('PUT', PATH, { body })).headers['portcullis-applied'], '0/1; lagging=gw');
});
