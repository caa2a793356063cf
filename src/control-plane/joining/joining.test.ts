import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { type GrantedIdentity, type OwnKeys, parseJoinToken, requestJoin, requestRenewal } from '../../distribution/gateway-side.ts';
import { createAuthority, issueInstanceCertificate, issueServerCertificate } from '../../distribution/index.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { exchange, makeTestKeys, type SyncPlane, startSyncPlane } from '../testing/sync-plane.ts';
import { readAuthorities } from './authorities.ts';
import { retireFormerAuthority, rotateAuthorities } from './change-authorities.ts';
import { findJoinToken, putJoinToken } from './join-tokens.ts';
import { findInstance, revokeInstance } from './known-instances.ts';

const AUTHOR = { id: 'test', name: 'test' };
const UPGRADE = 'GET /sync HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: portcullis-sync\r\n\r\n';
const DAY_MS = 86_400_000;

function join(port: number, text: string, keys: OwnKeys, host = 'localhost'): Promise<GrantedIdentity> {
  const token = parseJoinToken(text);
  assert.ok(token);
  return requestJoin({ controlPlane: { host, port }, token, hostname: 'machine-1', keys, clock: systemClock });
}

async function joined(plane: SyncPlane) {
  const keys = makeTestKeys();
  const token = await plane.makeToken();
  const granted = await join(plane.port, token.text, keys);
  return { token, keys, granted, shown: { cert: granted.certificate, key: keys.privateKey } };
}

function renew(port: number, granted: GrantedIdentity, keys: OwnKeys, next = makeTestKeys()): Promise<GrantedIdentity> {
  const identity = { ...granted, privateKey: keys.privateKey };
  return requestRenewal({ controlPlane: { host: 'localhost', port }, identity, keys: next, clock: systemClock });
}

async function status(plane: SyncPlane, head: string, shown = {}): Promise<string> {
  const { answer, socket } = await exchange(plane.port, head, shown);
  socket.destroy();
  return answer.slice(9, 12);
}

/** A sync connection that was welcomed. `received` gives all that it has got. */
async function connected(plane: SyncPlane, shown: { readonly cert: string; readonly key: string }) {
  const { socket } = await exchange(plane.port, UPGRADE, shown);
  socket.write(frame({ kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '1', revision: 0 }));
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  while (!text.includes('"authorities"')) await once(socket, 'data');
  return { received: () => text, closed: once(socket, 'close') };
}

async function authorityOf(plane: SyncPlane) {
  const authorities = await readAuthorities(plane.store);
  assert.ok(authorities);
  return authorities.issuing;
}

test('a gateway joins by a token, opens a sync connection and renews with another key', async (t) => {
  const plane = await startSyncPlane(t);
  const { granted, keys, shown, token } = await joined(plane);
  const certificate = new X509Certificate(granted.certificate);
  assert.equal(certificate.subjectAltName, `URI:portcullis://group/default/instance/${granted.instanceId}`);
  assert.equal(Math.round((granted.expiresAtMs - Date.now()) / DAY_MS), 90);
  assert.equal(await status(plane, UPGRADE, shown), '101');
  const next = makeTestKeys();
  const renewed = await renew(plane.port, granted, keys, next);
  assert.equal(renewed.instanceId, granted.instanceId);
  assert.equal(await status(plane, UPGRADE, { cert: renewed.certificate, key: next.privateKey }), '101');
  const known = await findInstance(plane.store, 'default', granted.instanceId);
  assert.deepEqual([known?.hostname, known?.tokenId, known?.certificates.length], ['machine-1', token.id, 2]);
  assert.equal((await findJoinToken(plane.store, token.id))?.uses, 1);
});

test('of two gateways at once with a token for one, one joins', async (t) => {
  const plane = await startSyncPlane(t);
  const token = await plane.makeToken();
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => join(plane.port, token.text, makeTestKeys())));
  assert.equal(results.filter(({ status: outcome }) => outcome === 'fulfilled').length, 1);
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.reason, 'join_token_used_up');
  }
  const many = await plane.makeToken({ maxUses: 3 });
  for (let use = 0; use < 3; use += 1) await join(plane.port, many.text, makeTestKeys());
  await assert.rejects(join(plane.port, many.text, makeTestKeys()), { reason: 'join_token_used_up' });
});

test('who lost the answer asks again with the same key, is the same instance, and the token counts once', async (t) => {
  const plane = await startSyncPlane(t);
  const { token, keys, granted } = await joined(plane);
  const again = await join(plane.port, token.text, keys);
  assert.equal(again.instanceId, granted.instanceId);
  assert.equal((await findJoinToken(plane.store, token.id))?.uses, 1);
});

test('a token that is wrong, expired or revoked is refused, each in its words to who knows the secret alone', async (t) => {
  const plane = await startSyncPlane(t);
  const expired = await plane.makeToken({ expiresAt: 5 });
  await assert.rejects(join(plane.port, expired.text, makeTestKeys()), { reason: 'join_token_expired' });
  const guessed = expired.text.replace(/\.[0-9A-Za-z]{43}\./, `.${'a'.repeat(43)}.`);
  await assert.rejects(join(plane.port, guessed, makeTestKeys()), { reason: 'join_token_unknown' });
  const other = await plane.makeToken();
  const stored = await findJoinToken(plane.store, other.id);
  assert.ok(stored && !JSON.stringify(stored).includes(other.text.split('.')[2] ?? '-'));
  await plane.store.transaction(AUTHOR, (transaction) => putJoinToken(transaction, { ...stored, revokedAt: 1 }));
  await assert.rejects(join(plane.port, other.text, makeTestKeys()), { reason: 'join_token_revoked' });
  assert.ok(!JSON.stringify(plane.log).includes(other.text.split('.')[2] ?? '-'));
});

test('a key that the asking side cannot prove to have is not certified', async (t) => {
  const plane = await startSyncPlane(t);
  const token = await plane.makeToken();
  const mixed = { publicKey: makeTestKeys().publicKey, privateKey: makeTestKeys().privateKey };
  await assert.rejects(join(plane.port, token.text, mixed), { reason: 'join_malformed' });
  assert.equal((await findJoinToken(plane.store, token.id))?.uses, 0);
  const { granted, keys } = await joined(plane);
  await assert.rejects(renew(plane.port, granted, keys, mixed), { reason: 'join_malformed' });
});

test('without a certificate nothing but joining is to be had, and with one that is no instance’s neither', async (t) => {
  const plane = await startSyncPlane(t);
  const authority = await authorityOf(plane);
  const foreign = await createAuthority(systemClock);
  const keys = makeTestKeys();
  const to = { groupId: 'default', instanceId: 'x', publicKey: keys.publicKey };
  const server = await issueServerCertificate(authority, { names: ['localhost'] }, systemClock);
  const strangers = {
    none: {},
    'of another authority': { cert: (await issueInstanceCertificate(foreign, to, systemClock)).certificate, key: keys.privateKey },
    'of a server': { cert: server.certificate, key: server.privateKey },
    'of an authority': { cert: authority.certificate, key: authority.privateKey },
  };
  for (const [what, shown] of Object.entries(strangers)) {
    assert.equal(await status(plane, UPGRADE, shown), '403', what);
    assert.equal(await status(plane, 'POST /renew HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}', shown), '403', what);
    for (const target of ['GET /', 'GET /join', 'POST /sync', 'GET /renew', 'POST /join/', 'PUT /join', 'POST //join']) {
      assert.match(await status(plane, `${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`, shown), /^(404|426)$/, target);
    }
    const upgraded = UPGRADE.replace('GET /sync', 'POST /join');
    assert.equal(await status(plane, upgraded, shown), '404', what);
  }
  assert.equal(plane.publisher.instances('default').length, 0);
});

test('what is no request to join is refused, however large, and nothing is believed of it', async (t) => {
  const plane = await startSyncPlane(t);
  const post = (body: string) => `POST /join HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (const body of ['', '{', 'null', '[]', '{"tokenId":7}', '{"__proto__":{}}'])
    assert.equal(await status(plane, post(body)), '400', body);
  assert.equal(await status(plane, post('x'.repeat(17 * 1024))), '413');
  const fields = { tokenId: '\u0000', secret: 'x', hostname: '', publicKey: 'x', proof: '' };
  assert.equal(await status(plane, post(JSON.stringify(fields))), '403');
});

test('who asks too often has to wait', async (t) => {
  // Time stands still, so that nothing is worked off on a busy machine.
  const plane = await startSyncPlane(t, undefined, { ...systemClock, monotonicMs: () => 0 });
  const bodies = Array.from({ length: 40 }, () => status(plane, 'POST /join HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}'));
  assert.deepEqual([...new Set(await Promise.all(bodies))], ['400']);
  const token = await plane.makeToken({ maxUses: 100 });
  const keys = makeTestKeys();
  const outcomes = new Set<string>();
  for (let tries = 0; tries < 32; tries += 1) outcomes.add(await join(plane.port, token.text, keys).then(() => 'joined', messageOf));
  assert.deepEqual([...outcomes].sort(), [
    'joined',
    'the control plane answered 429 to the request for a certificate: too many requests for certificates: try again later',
  ]);
});

test('an instance that is revoked is cut off, and comes back neither by its certificate nor by a renewal', async (t) => {
  const plane = await startSyncPlane(t);
  const { granted, keys, shown } = await joined(plane);
  const { received, closed } = await connected(plane, shown);
  const known = await findInstance(plane.store, 'default', granted.instanceId);
  assert.ok(known);
  await plane.store.transaction(AUTHOR, (transaction) => revokeInstance(transaction, known, { nowSeconds: 1, author: 'test' }));
  await plane.publisher.reviewPeers();
  await closed;
  assert.match(received(), /"kind":"reject","reason":"this instance was revoked/);
  while (plane.publisher.instances('default').length > 0) await setImmediate();
  const again = await exchange(plane.port, UPGRADE, shown);
  again.socket.write(frame({ kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '1', revision: 0 }));
  let answered = '';
  for await (const chunk of again.socket) answered += chunk.toString('latin1');
  assert.ok(answered.includes('this instance was revoked') && !answered.includes('keySalt'), answered);
  await assert.rejects(renew(plane.port, granted, keys), { reason: 'instance_revoked' });
});

test('who is revoked stays so when the clock by which records go is years ahead of the one by which certificates hold', async (t) => {
  const plane = await startSyncPlane(t);
  const { granted, shown } = await joined(plane);
  const other = await joined(plane);
  const known = await findInstance(plane.store, 'default', granted.instanceId);
  assert.ok(known);
  const by = { nowSeconds: 1, author: 'test' };
  await plane.store.transaction(AUTHOR, (transaction) => revokeInstance(transaction, known, by));
  const aheadSeconds = Math.floor((Date.now() + 3_650 * DAY_MS) / 1000);
  await plane.store.transaction(AUTHOR, (transaction) => transaction.deleteExpiredRecords(aheadSeconds, 100));
  assert.equal(await findInstance(plane.store, 'default', other.granted.instanceId), undefined);
  // Control planes read anew who is revoked when that has changed, and when they start.
  await plane.store.transaction(AUTHOR, (transaction) => revokeInstance(transaction, { ...known, id: 'another' }, by));
  const { socket } = await exchange(plane.port, UPGRADE, shown);
  socket.write(frame({ kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '1', revision: 0 }));
  let answered = '';
  for await (const chunk of socket) answered += chunk.toString('latin1');
  assert.ok(answered.includes('this instance was revoked') && !answered.includes('keySalt'), answered);
});

test('a clock that leaps cuts off nobody, and keeps nobody out, before it has stood for an hour', async (t) => {
  const ahead = { leaptMs: 0, passedMs: 0 };
  const clock: Clock = {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + ahead.leaptMs + ahead.passedMs,
    monotonicMs: () => systemClock.monotonicMs() + ahead.passedMs,
  };
  const plane = await startSyncPlane(t, undefined, clock);
  const { shown } = await joined(plane);
  const { received, closed } = await connected(plane, shown);
  ahead.leaptMs = 300 * DAY_MS;
  await plane.publisher.reviewPeers();
  assert.equal(plane.publisher.instances('default').length, 1);
  assert.equal(await status(plane, UPGRADE, shown), '101');
  ahead.passedMs = 3_600_000;
  await plane.publisher.reviewPeers();
  await closed;
  assert.match(received(), /"kind":"reject","reason":"the certificate of this instance has ended/);
  assert.equal(await status(plane, UPGRADE, shown), '403');
});

test('what was certified while the clock was ahead is believed when it has been set right', async (t) => {
  const plane = await startSyncPlane(t);
  const authority = await authorityOf(plane);
  const ahead = new FakeClock(Date.now() + 300 * DAY_MS);
  const keys = makeTestKeys();
  const to = { groupId: 'default', instanceId: 'gw-1', publicKey: keys.publicKey };
  const issued = await issueInstanceCertificate(authority, to, ahead);
  assert.equal(await status(plane, UPGRADE, { cert: issued.certificate, key: keys.privateKey }), '101');
  const renewed = await renew(plane.port, { ...to, ...issued, authority: authority.certificate }, keys);
  assert.equal(Math.round((renewed.expiresAtMs - Date.now()) / DAY_MS), 90);
  const { certificate } = await issueServerCertificate(authority, { names: ['localhost'] }, ahead);
  assert.ok(new X509Certificate(certificate).validFromDate.getTime() <= Date.now());
});

test('a certificate that has expired renews for thirty days and does nothing else', async (t) => {
  const plane = await startSyncPlane(t);
  const authority = await authorityOf(plane);
  const expiredFor = async (days: number) => {
    const keys = makeTestKeys();
    const clock = new FakeClock(Date.now() - (90 + days) * DAY_MS);
    const to = { groupId: 'default', instanceId: `expired-${days}`, publicKey: keys.publicKey };
    const issued = await issueInstanceCertificate(authority, to, clock);
    return { keys, granted: { ...to, ...issued, authority: authority.certificate } };
  };
  const recent = await expiredFor(29);
  assert.equal(await status(plane, UPGRADE, { cert: recent.granted.certificate, key: recent.keys.privateKey }), '403');
  const next = makeTestKeys();
  const renewed = await renew(plane.port, recent.granted, recent.keys, next);
  assert.equal(await status(plane, UPGRADE, { cert: renewed.certificate, key: next.privateKey }), '101');
  const old = await expiredFor(31);
  await assert.rejects(renew(plane.port, old.granted, old.keys), /ended on/);
});

test('nothing is sent to a control plane of another authority, or of another name', async (t) => {
  const plane = await startSyncPlane(t);
  const token = await plane.makeToken();
  const foreign = await createAuthority(systemClock);
  const own = await issueServerCertificate(foreign, { names: ['localhost'] }, systemClock);
  const authority = await authorityOf(plane);
  let received = 0;
  const listen = async (cert: string, key: string) => {
    const server = createServer({ cert, key }, (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return address.port;
  };
  const impostor = await listen(`${own.certificate}${foreign.certificate}`, own.privateKey);
  await assert.rejects(join(impostor, token.text, makeTestKeys()), /not certified by the authority that the join token names/);
  // The genuine authority is shown, and has not signed the impostor's certificate.
  const decorated = await listen(`${own.certificate}${authority.certificate}`, own.privateKey);
  await assert.rejects(join(decorated, token.text, makeTestKeys()));
  // An instance is certified by the genuine authority, but not as a server.
  const { keys, granted } = await joined(plane);
  const instance = await listen(`${granted.certificate}${authority.certificate}`, keys.privateKey);
  await assert.rejects(join(instance, token.text, makeTestKeys()));
  await assert.rejects(renew(instance, granted, keys));
  await assert.rejects(join(plane.port, token.text, makeTestKeys(), '127.0.0.2'));
  assert.equal(received, 0);
});

test('over a change of authorities old and new gateways connect, tokens hold, and only then the old one ends', async (t) => {
  const plane = await startSyncPlane(t);
  const old = await joined(plane);
  const before = await plane.makeToken();
  const options = { store: plane.store, clock: systemClock, author: AUTHOR };
  const { pin } = await rotateAuthorities(options);
  await assert.rejects(rotateAuthorities(options), /ca retire/);
  await plane.publisher.reviewPeers();
  // Who knows only the old authority still believes the server, and the other way round.
  const renewed = await renew(plane.port, old.granted, old.keys, old.keys);
  assert.equal(renewed.authority.match(/BEGIN CERTIFICATE/g)?.length, 2);
  assert.ok(new X509Certificate(renewed.certificate).verify(new X509Certificate(renewed.authority).publicKey));
  assert.equal(await status(plane, UPGRADE, old.shown), '101');
  assert.equal(await status(plane, UPGRADE, { ...old.shown, cert: renewed.certificate }), '101');
  await join(plane.port, before.text, makeTestKeys());
  const after = await plane.makeToken({ maxUses: 9 });
  assert.ok(after.text.endsWith(pin));
  const fresh = makeTestKeys();
  const young = await join(plane.port, after.text, fresh);
  await renew(plane.port, { ...young, authority: new X509Certificate(young.authority).toString() }, fresh);
  await retireFormerAuthority({ ...options, force: false });
  await plane.publisher.reviewPeers();
  assert.equal(await status(plane, UPGRADE, old.shown), '403');
  await assert.rejects(renew(plane.port, old.granted, old.keys));
  assert.equal(await status(plane, UPGRADE, { ...old.shown, cert: renewed.certificate }), '101');
  await join(plane.port, after.text, makeTestKeys());
  await assert.rejects(join(plane.port, before.text, makeTestKeys()), /not certified/);
});

test('an authority is not retired while an instance would be shut out, unless that is wanted', async (t) => {
  const plane = await startSyncPlane(t);
  const { granted } = await joined(plane);
  const options = { store: plane.store, clock: systemClock, author: AUTHOR };
  await assert.rejects(retireFormerAuthority({ ...options, force: true }), /no former authority/);
  await rotateAuthorities(options);
  await assert.rejects(retireFormerAuthority({ ...options, force: false }), (error: Error) => error.message.includes(granted.instanceId));
  await retireFormerAuthority({ ...options, force: true });
});

function frame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
