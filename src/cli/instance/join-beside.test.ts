import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { StartError } from '../../errors/index.ts';
import { joinBeside, LOOK_AGAIN_MS } from './join-beside.ts';
import type { DatedIdentity } from './local-identity.ts';

const IDENTITY: DatedIdentity = {
  ...{ instanceId: 'gw-1', groupId: 'default' },
  ...{ certificate: 'c', privateKey: 'k', authority: 'a', expiresAtMs: 1 },
};

/** Everything that a promise has led to is done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A gateway whose token file is `place.token`, at a control plane that takes `good` alone. */
function joining(place: { token: () => string | undefined }) {
  const clock = new FakeClock();
  const [asked, told, joined]: [string[], string[], DatedIdentity[]] = [[], [], []];
  const stop = joinBeside({
    joined: {
      join: async (token, groupId) => {
        asked.push(`${token} for ${groupId}`);
        if (token === 'good') return IDENTITY;
        if (token === 'unlucky') throw new Error('the disk is full');
        throw new StartError(`The gateway may not join: ${token} is used up.`);
      },
    },
    readToken: () => place.token(),
    groupId: 'default',
    clock,
    log: new RecordingLogger(),
    tell: (sentence) => told.push(sentence),
    onJoined: (identity) => joined.push(identity),
  });
  const lookAgain = async (): Promise<void> => {
    clock.advance(LOOK_AGAIN_MS);
    await settled();
  };
  return { asked, told, joined, stop, lookAgain };
}

test('a refused token is asked with and told once, and another one in its place is taken', async () => {
  const place = { token: (): string | undefined => 'old' };
  const { asked, told, joined, lookAgain } = joining(place);
  await settled();
  await lookAgain();
  assert.deepEqual(asked, ['old for default']);
  assert.deepEqual(told, [
    'The gateway may not join: old is used up. The gateway serves from its snapshot, and joins as soon as it can.\n',
  ]);
  place.token = () => 'good';
  await lookAgain();
  await lookAgain();
  assert.deepEqual([asked, joined], [['old for default', 'good for default'], [IDENTITY]]);
});

test('a token file that is gone for a while, and what has nothing to do with the token, are tried again', async () => {
  const place = {
    token: (): string | undefined => {
      throw new StartError('The file with the join token cannot be read.');
    },
  };
  const { asked, told, joined, lookAgain } = joining(place);
  await lookAgain();
  place.token = () => 'unlucky';
  await lookAgain();
  await lookAgain();
  assert.deepEqual(asked, ['unlucky for default', 'unlucky for default']);
  assert.equal(told.length, 2);
  place.token = () => 'good';
  await lookAgain();
  assert.deepEqual(joined, [IDENTITY]);
});

test('after its end nobody is called, whatever is granted then', async () => {
  const { joined, stop, lookAgain } = joining({ token: () => 'good' });
  stop();
  await settled();
  await lookAgain();
  assert.deepEqual(joined, []);
});
