import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { NameResolver } from '../names/index.ts';
import { CallNames } from './call-names.ts';

interface Names {
  readonly names: CallNames;
  readonly clock: FakeClock;
  /** What was asked of the name servers, in order. */
  readonly asked: string[];
}

function makeNames(test: TestContext): Names {
  const clock = new FakeClock();
  const asked: string[] = [];
  const sources = {
    readHosts: async () => '192.0.2.1 listed.test\n',
    readResolverSettings: async () => '',
    resolve4: async (name: string) => {
      asked.push(name);
      if (name === 'gone.test') throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
      return [{ address: '192.0.2.2', ttl: 100 }];
    },
    resolve6: async () => [],
  };
  const resolver = new NameResolver({ clock, random: { bytes: (length) => Buffer.alloc(length) }, log: new RecordingLogger(), sources });
  const names = new CallNames({ resolver, clock });
  test.after(() => names.close());
  return { names, clock, asked };
}

test('a name is resolved once and then known, from the hosts file or a server; a literal is its own address', async (t) => {
  const { names, asked } = makeNames(t);
  assert.deepEqual(await names.addressesOf('listed.test'), ['192.0.2.1']);
  assert.deepEqual(await names.addressesOf('asked.test'), ['192.0.2.2']);
  assert.deepEqual(await names.addressesOf('asked.test'), ['192.0.2.2']);
  assert.deepEqual(await names.addressesOf('::ffff:192.0.2.9'), ['192.0.2.9']);
  assert.deepEqual(await names.addressesOf('gone.test'), []);
  assert.deepEqual(asked, ['asked.test', 'gone.test']);
});

test('a name that nobody called for ten minutes is forgotten, and known names are bounded', async (t) => {
  const { names, clock, asked } = makeNames(t);
  await names.addressesOf('old.test');
  clock.advance(1_200_000);
  asked.length = 0;
  clock.advance(600_000);
  assert.equal(clock.pendingTasks <= 1, true, 'nothing but the look at the files is left');
  assert.deepEqual(asked, []);
  for (let number = 0; number < 300; number++) await names.addressesOf(`n${number}.test`);
  asked.length = 0;
  await names.addressesOf('n299.test');
  await names.addressesOf('n0.test');
  assert.deepEqual(asked, ['n0.test']);
});
