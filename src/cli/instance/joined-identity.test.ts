import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { createAuthority, issueInstanceCertificate } from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { isRenewalDue, JoinedIdentity } from './joined-identity.ts';
import { type DatedIdentity, makeKeys, readIdentity } from './local-identity.ts';

const DAY_MS = 86_400_000;

async function makeIdentity(clock: FakeClock): Promise<DatedIdentity> {
  const authority = await createAuthority(clock);
  const { publicKey, privateKey } = makeKeys();
  const of = { groupId: 'default', instanceId: 'gw-1' };
  const issued = await issueInstanceCertificate(authority, { ...of, publicKey }, clock);
  return { ...of, ...issued, privateKey, authority: authority.certificate };
}

test('a certificate is renewed when two thirds of its life are over, and at once when another authority issues', async () => {
  const clock = new FakeClock();
  const identity = await makeIdentity(clock);
  assert.equal(isRenewalDue(identity, clock.nowMs()), false);
  assert.equal(isRenewalDue(identity, clock.nowMs() + 59 * DAY_MS), false);
  assert.equal(isRenewalDue(identity, clock.nowMs() + 61 * DAY_MS), true);
  const next = await createAuthority(clock);
  assert.equal(isRenewalDue({ ...identity, authority: `${identity.authority}${next.certificate}` }, clock.nowMs()), false);
  assert.equal(isRenewalDue({ ...identity, authority: `${next.certificate}${identity.authority}` }, clock.nowMs()), true);
});

test('authorities that a control plane names are kept with the identity, and what is none is not', async (t) => {
  const clock = new FakeClock();
  const file = `${await temporaryFolder(t)}/identity.json`;
  const identity = await makeIdentity(clock);
  const changes: DatedIdentity[] = [];
  const fixed = { file, owner: undefined, controlPlanes: [{ host: 'localhost', port: 1 }], clock, random: systemRandom };
  const tell = (): void => undefined;
  const kept = new JoinedIdentity({ ...fixed, log: new RecordingLogger(), tell, onChanged: (changed) => changes.push(changed) }, identity);
  for (const broken of ['', 'x', identity.certificate, identity.privateKey]) kept.noteAuthorities(broken);
  assert.deepEqual([changes.length, readIdentity(file)], [0, undefined]);
  const authority = `${identity.authority}${(await createAuthority(clock)).certificate}`;
  kept.noteAuthorities(authority);
  kept.noteAuthorities(authority);
  assert.deepEqual([changes.length, readIdentity(file)?.authority], [1, authority]);
  kept.stop();
});

test('an identity that cannot be written down is used all the same, and written down when it can be', async (t) => {
  const clock = new FakeClock();
  const folder = `${await temporaryFolder(t)}/away`;
  const file = `${folder}/identity.json`;
  const identity = await makeIdentity(clock);
  const changes: DatedIdentity[] = [];
  const log = new RecordingLogger();
  const fixed = { file, owner: undefined, controlPlanes: [{ host: 'localhost', port: 1 }], clock, random: systemRandom };
  const kept = new JoinedIdentity({ ...fixed, log, tell: () => undefined, onChanged: (changed) => changes.push(changed) }, identity);
  const authority = `${identity.authority}${(await createAuthority(clock)).certificate}`;
  kept.noteAuthorities(authority);
  assert.deepEqual([changes.at(-1)?.authority, log.lines.filter(({ level }) => level === 'error').length], [authority, 1]);
  clock.advance(5_000);
  await setImmediate();
  assert.equal(readIdentity(file), undefined);
  await mkdir(folder);
  clock.advance(3_600_000);
  await setImmediate();
  assert.equal(readIdentity(file)?.authority, authority);
  kept.stop();
});

test('a gateway process that is replaced goes on with an identity that could not be written down, unless another one was put in the file', async (t) => {
  const clock = new FakeClock();
  const file = `${await temporaryFolder(t)}/away/identity.json`;
  const former = await makeIdentity(clock);
  const fixed = { file, owner: undefined, controlPlanes: [{ host: 'localhost', port: 1 }], clock, random: systemRandom };
  const options = { ...fixed, log: new RecordingLogger(), tell: () => undefined, onChanged: () => undefined };
  const kept = new JoinedIdentity(options, former);
  const authority = `${former.authority}${(await createAuthority(clock)).certificate}`;
  kept.noteAuthorities(authority);
  assert.equal(kept.takeFromFile(former).authority, authority);
  for (const other of [
    { ...former, instanceId: 'gw-2' },
    { ...former, expiresAtMs: former.expiresAtMs + 1 },
  ]) {
    kept.noteAuthorities(authority);
    assert.equal(kept.takeFromFile(other), other);
    assert.equal(kept.takeFromFile(former), former);
  }
  kept.stop();
});

test('what is no join token ends the start before anything is made or asked', async (t) => {
  const folder = await temporaryFolder(t);
  const fixed = {
    file: `${folder}/identity.json`,
    owner: undefined,
    controlPlanes: [{ host: 'localhost', port: 1 }],
    random: systemRandom,
  };
  const unused = { clock: new FakeClock(), log: new RecordingLogger(), tell: () => undefined, onChanged: () => undefined };
  const joining = new JoinedIdentity({ ...fixed, ...unused });
  await assert.rejects(joining.join('pcj1.secret'), (error) => error instanceof StartError && !error.message.includes('secret'));
  assert.deepEqual(await readdir(folder), []);
});
