import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startHostileDatabaseWire } from '../../test-support/hostile-wire.ts';
import { freshSchemaName, queryPostgres } from '../../test-support/postgres-server.ts';
import { makeSmallDisk } from '../../test-support/small-disk.ts';
import { withPostgres } from '../../test-support/with-postgres.ts';
import { type AdminFixture, makeAdminFixture } from './testing/admin-fixture.ts';

const BULK = '/api/gateway_groups/default/bulk';

function put(admin: AdminFixture, name: string, bytes = 0) {
  return admin.send('PUT', `/apisix/admin/consumers/${name}`, { body: { username: name, desc: 'x'.repeat(bytes) } });
}

function bulk(admin: AdminFixture, count: number, bytes = 0) {
  const one = (number: number) => ({ kind: 'consumer', id: `b${number}`, body: { username: `b${number}`, desc: 'x'.repeat(bytes) } });
  return admin.send('POST', BULK, { body: Array.from({ length: count }, (_, number) => one(number)) });
}

async function countOf(admin: AdminFixture): Promise<number> {
  const list = await admin.send('GET', '/apisix/admin/consumers');
  assert.equal(list.status, 200);
  return list.body.total;
}

test('on a full disk writes are 503 and leave nothing, reads go on, and writes do too as soon as there is room', async (t) => {
  const folder = await makeSmallDisk(t, 6 * 1024 * 1024);
  if (folder === undefined) return t.skip('no small disk');
  const ballast = path.join(folder, 'ballast');
  await writeFile(ballast, Buffer.alloc(2 * 1024 * 1024));
  const admin = await makeAdminFixture(t, { folder });
  const stored: string[] = [];
  let refused = await put(admin, 'c0', 20_000);
  for (let number = 1; refused.status === 200 && number < 1_000; number += 1) {
    stored.push(`c${number - 1}`);
    refused = await put(admin, `c${number}`, 20_000);
  }
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1'], refused.text);
  assert.deepEqual(refused.body, { error_msg: 'the store is not available' });
  const many = await bulk(admin, 200, 20_000);
  assert.deepEqual([many.status, many.headers['retry-after']], [503, '1']);
  const together = await Promise.all(Array.from({ length: 10 }, (_, number) => put(admin, `together${number}`, 20_000)));
  assert.ok(together.every(({ status }) => status === 503));
  assert.equal(await countOf(admin), stored.length);
  for (const name of stored) assert.equal((await admin.send('GET', `/apisix/admin/consumers/${name}`)).status, 200);
  assert.equal((await admin.store.getGroup('default'))?.revision, stored.length);
  await rm(ballast);
  const recovered = await put(admin, 'recovered');
  assert.equal(recovered.status, 200, recovered.text);
  assert.equal(recovered.headers['portcullis-revision'], String(stored.length + 1));
  assert.equal((await bulk(admin, 20)).status, 200);
  assert.equal(await countOf(admin), stored.length + 21);
});

withPostgres(
  'while PostgreSQL is away writes are 503 and reads tell what was read before; half a bulk is never stored, and all works again as soon as it is back',
  async (t, url) => {
    const wire = await startHostileDatabaseWire(t, url);
    const schema = freshSchemaName();
    t.after(() => queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`));
    const options = { url: wire.through(url), schema, connections: 4, timeoutMs: 2_000, statementTimeoutMs: 5_000, patienceMs: 0 };
    let cutAfter = Number.POSITIVE_INFINITY;
    const admin = await makeAdminFixture(t, {
      database: options,
      wrapStore: (store) =>
        new Proxy(store, {
          get: (target, name) => {
            const member: unknown = Reflect.get(target, name);
            if (typeof member !== 'function') return member;
            if (name !== 'transaction') return member.bind(target);
            return (...[author, work]: Parameters<typeof store.transaction>) =>
              store.transaction(author, (transaction) => {
                const putResource = transaction.putResource.bind(transaction);
                let written = 0;
                transaction.putResource = async (write) => {
                  if (++written === cutAfter) wire.reset();
                  return putResource(write);
                };
                return work(transaction);
              });
          },
        }),
    });
    assert.equal((await put(admin, 'before')).status, 200);
    cutAfter = 10;
    const halfway = await bulk(admin, 20);
    assert.deepEqual([halfway.status, halfway.headers['retry-after']], [503, '1'], halfway.text);
    cutAfter = Number.POSITIVE_INFINITY;
    assert.equal(await countOf(admin), 1);
    const before = await admin.send('GET', '/apisix/admin/consumers/before');
    wire.use('cut');
    admin.clock.advance(65_000);
    const remembered = await admin.send('GET', '/apisix/admin/consumers/before');
    assert.deepEqual([remembered.status, remembered.text, remembered.headers.etag], [200, before.text, before.headers.etag]);
    assert.deepEqual([before.headers['portcullis-stale'], remembered.headers['portcullis-stale']], [undefined, '65']);
    const other = await admin.send('GET', '/apisix/admin/consumers/before', { token: 'a-token-of-nobody' });
    assert.deepEqual([other.status, other.headers['retry-after']], [503, '1']);
    for (const answer of [await put(admin, 'away'), await bulk(admin, 3), await admin.send('GET', '/apisix/admin/consumers/never-read')]) {
      assert.deepEqual(
        [answer.status, answer.headers['retry-after'], answer.body],
        [503, '1', { error_msg: 'the store is not available' }],
      );
    }
    assert.equal((await admin.send('GET', '/healthz')).status, 200);
    wire.use('open');
    assert.equal((await admin.send('GET', '/apisix/admin/consumers/away')).status, 404);
    assert.equal((await put(admin, 'after')).status, 200);
    assert.equal((await bulk(admin, 20)).status, 200);
    assert.equal(await countOf(admin), 22);
    assert.equal((await admin.store.getGroup('default'))?.revision, 3);
  },
);
