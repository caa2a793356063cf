import assert from 'node:assert/strict';
import { freshSchemaName, queryPostgres } from '../../../test-support/postgres-server.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { parseJoinToken, requestJoin, requestRenewal } from '../../distribution/gateway-side.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { openControlPlaneStore } from '../open-control-plane-store.ts';
import { exchange, makeTestKeys, startSyncPlane } from '../testing/sync-plane.ts';
import { findInstance, revokeInstance } from './known-instances.ts';

const AUTHOR = { id: 'test', name: 'test' };
const UPGRADE = 'GET /sync HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: portcullis-sync\r\n\r\n';

withPostgres('two control planes on one database count a token together, and one hears of what the other has revoked', async (t, url) => {
  const folder = await temporaryFolder(t);
  const schema = freshSchemaName();
  const database = { url, schema, connections: 4, timeoutMs: 5000, statementTimeoutMs: 15_000, patienceMs: 0 };
  t.after(() => queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  const fixed = { dataFolder: folder, keyringFile: `${folder}/keyring.json`, database, clock: systemClock, random: systemRandom };
  const start = async () => {
    const store = await openControlPlaneStore(fixed);
    t.after(() => store.close());
    return startSyncPlane(t, store);
  };
  const planes = [await start(), await start()] as const;
  const [first, second] = planes;
  const made = await first.makeToken();
  const token = parseJoinToken(made.text);
  assert.ok(token);
  const keys = Array.from({ length: 6 }, makeTestKeys);
  const joins = await Promise.allSettled(
    keys.map((own, index) => {
      const port = planes[index % 2 === 0 ? 0 : 1].port;
      return requestJoin({ controlPlane: { host: 'localhost', port }, token, hostname: 'm', keys: own, clock: systemClock });
    }),
  );
  const winner = joins.findIndex(({ status }) => status === 'fulfilled');
  const granted = joins[winner];
  const own = keys[winner];
  assert.equal(joins.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.ok(granted?.status === 'fulfilled' && own !== undefined);
  const shown = { cert: granted.value.certificate, key: own.privateKey };
  const { socket } = await exchange(second.port, UPGRADE, shown);
  const known = await findInstance(first.store, 'default', granted.value.instanceId);
  assert.ok(known);
  await first.store.transaction(AUTHOR, (transaction) => revokeInstance(transaction, known, { nowSeconds: 1, author: 'test' }));
  await second.publisher.reviewPeers();
  const hello = Buffer.from(JSON.stringify({ kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '1', revision: 0 }));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(hello.length);
  socket.write(Buffer.concat([head, hello]));
  let received = '';
  for await (const chunk of socket) received += chunk.toString('latin1');
  assert.ok(received.includes('this instance was revoked') && !received.includes('keySalt'));
  const identity = { ...granted.value, privateKey: own.privateKey };
  const renewal = { controlPlane: { host: 'localhost', port: second.port }, identity, keys: makeTestKeys(), clock: systemClock };
  await assert.rejects(requestRenewal(renewal), { reason: 'instance_revoked' });
});
