import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { parseJoinToken } from '../../distribution/gateway-side.ts';
import { joinStatement } from '../../distribution/index.ts';
import { PortcullisError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { makeTestKeys, startSyncPlane } from '../testing/sync-plane.ts';
import { readAuthorities } from './authorities.ts';
import { CertificateDesk } from './certificate-desk.ts';

/** A desk for which time stands still, so that nothing is worked off, and who asks at it. `ask` tells the outcome. */
async function deskOf(t: TestContext) {
  const clock = { ...systemClock, monotonicMs: () => 0 };
  const plane = await startSyncPlane(t, undefined, clock);
  const authorities = await readAuthorities(plane.store);
  assert.ok(authorities);
  const desk = new CertificateDesk({ store: plane.store, authorities: () => authorities, clock, expiryClock: clock, log: plane.log });
  const keys = makeTestKeys();
  const ask = async (text: string, address: string): Promise<string> => {
    const token = parseJoinToken(text);
    assert.ok(token);
    const proof = sign('sha256', Buffer.from(joinStatement(token.id, keys.publicKey)), keys.privateKey).toString('base64');
    const request = { tokenId: token.id, secret: token.secret, hostname: 'machine-1', publicKey: keys.publicKey, proof };
    try {
      await desk.join(request, address);
      return 'joined';
    } catch (error) {
      return error instanceof PortcullisError ? error.reason : String(error);
    }
  };
  return { plane, ask };
}

test('strangers from many addresses keep nobody who has a token from joining', async (t) => {
  const { plane, ask } = await deskOf(t);
  const { text } = await plane.makeToken();
  const [prefix = '', id = '', secret = '', pin = ''] = text.split('.');
  const guessed = [prefix, id, secret.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')), pin].join('.');
  const outcomes = new Set<string>();
  for (let stranger = 0; stranger < 600; stranger += 1)
    outcomes.add(await ask(guessed, `10.0.${Math.floor(stranger / 250)}.${stranger % 250}`));
  assert.deepEqual([...outcomes], ['join_token_unknown']);
  assert.equal(await ask(text, '192.0.2.1'), 'joined');
});

test('who uses one token up to its rate takes nothing from another token', async (t) => {
  const { plane, ask } = await deskOf(t);
  const [first, second] = [await plane.makeToken({ maxUses: 9 }), await plane.makeToken()];
  const outcomes: string[] = [];
  for (let time = 0; time < 201; time += 1) outcomes.push(await ask(first.text, `10.0.0.${time}`));
  assert.deepEqual([outcomes.filter((each) => each === 'joined').length, outcomes.at(-1)], [200, 'join_too_often']);
  assert.equal(await ask(second.text, '192.0.2.1'), 'joined');
});

test('the addresses of one customer count as one, before anything else is looked at', async (t) => {
  const { plane, ask } = await deskOf(t);
  const { text } = await plane.makeToken();
  const outcomes: string[] = [];
  for (let time = 0; time < 31; time += 1) outcomes.push(await ask(text, `2001:db8::${time.toString(16)}`));
  assert.deepEqual([outcomes[0], outcomes.at(-1)], ['joined', 'join_too_often']);
  assert.equal(await ask(text, '2001:db8:0:1::1'), 'joined');
});
