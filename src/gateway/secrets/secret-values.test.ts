import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { EnvironmentValues } from './environment-values.ts';
import { SecretError } from './secret-error.ts';
import { SecretValues } from './secret-values.ts';

const KEY = '$secret://vault/1/jack/key';
const OTHER_FIELD = '$secret://vault/1/jack/other';
const OTHER_SECRET = '$secret://vault/1/jill/key';
const VAULT = new Map([['vault/1', { uri: 'https://vault.example' }]]);

/** Values whose manager is the test: each reading waits until the test answers it. */
function start() {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const asked: { readonly name: string; answer(fields: Record<string, string> | SecretError): Promise<void> }[] = [];
  const values = new SecretValues({
    environment: new EnvironmentValues({ NAME: 'value' }, []),
    fetch: (_provider, _configuration, name) => {
      const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, string>>();
      const answer = async (fields: Record<string, string> | SecretError): Promise<void> => {
        if (fields instanceof SecretError) reject(fields);
        else resolve(new Map(Object.entries(fields)));
        await settled();
      };
      asked.push({ name, answer });
      return promise;
    },
    clock,
    random: systemRandom,
    log,
  });
  const changes: (readonly string[])[] = [];
  values.onChange((references) => changes.push(references));
  values.useProviders(VAULT);
  /** The readings since the last time. */
  const take = () => asked.splice(0);
  return { values, clock, log, changes, take };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const FAILED = new SecretError('failed', 'Vault answered 503');
const GONE = new SecretError('gone', 'Vault answered 404');

test('a secret is read once for all references to it, and a variable at once', async () => {
  const { values, changes, take } = start();
  assert.deepEqual([values.valueOf('$env://NAME'), values.valueOf(KEY)], ['value', undefined]);
  values.retain([KEY, OTHER_FIELD, '$env://NAME', '$env://MISSING', '$secret://malformed']);
  let isResolved = false;
  const resolved = values.resolved([KEY, '$env://MISSING', '$secret://malformed'], 1000).then(() => {
    isResolved = true;
  });
  const [reading, ...others] = take();
  assert.deepEqual([reading?.name, others, isResolved], ['jack', [], false]);
  await reading?.answer({ key: 'k', other: 'o' });
  await resolved;
  assert.deepEqual([values.valueOf(KEY), values.valueOf(OTHER_FIELD)], ['k', 'o']);
  assert.deepEqual(changes, [[KEY, OTHER_FIELD]]);
  values.retain(['$secret://vault/1/jack/missing']);
  await values.resolved(['$secret://vault/1/jack/missing'], 1000);
  assert.deepEqual([values.valueOf('$secret://vault/1/jack/missing'), take()], [undefined, []]);
});

test('waiting for a secret has an end', async () => {
  const { values, clock } = start();
  values.retain([KEY]);
  const resolved = values.resolved([KEY], 1000);
  clock.advance(1000);
  await resolved;
  assert.equal(values.valueOf(KEY), undefined);
});

test('a secret is read anew within five minutes, served meanwhile, and only what differs is told', async () => {
  const { values, clock, changes, take } = start();
  values.retain([KEY, OTHER_FIELD]);
  await take()[0]?.answer({ key: 'k', other: 'o' });
  clock.advance(269_000);
  assert.equal(take().length, 0);
  clock.advance(31_000);
  const [reading] = take();
  assert.equal(values.valueOf(KEY), 'k');
  await reading?.answer({ key: 'new', other: 'o' });
  assert.deepEqual([values.valueOf(KEY), changes.slice(1)], ['new', [[KEY]]]);
});

test('while a manager cannot be asked the last value stays, and it is asked again each minute with one line in the log', async () => {
  const { values, clock, log, changes, take } = start();
  values.retain([KEY]);
  await take()[0]?.answer({ key: 'k' });
  clock.advance(300_000);
  await take()[0]?.answer(FAILED);
  for (let minute = 0; minute < 3; minute++) {
    clock.advance(60_000);
    await take()[0]?.answer(FAILED);
    assert.equal(values.valueOf(KEY), 'k');
  }
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields]),
    [['warn', { provider: 'vault/1', secret: 'jack', cause: 'Vault answered 503' }]],
  );
  clock.advance(60_000);
  await take()[0]?.answer({ key: 'k' });
  assert.equal(log.lines.at(-1)?.message, 'a secret can be read again');
  assert.equal(changes.length, 1);
});

test('a secret that is gone at its manager is gone here', async () => {
  const { values, clock, changes, take } = start();
  values.retain([KEY]);
  await take()[0]?.answer({ key: 'k' });
  clock.advance(300_000);
  await take()[0]?.answer(GONE);
  assert.deepEqual([values.valueOf(KEY), changes.length], [undefined, 2]);
});

test('when its provider changes a secret is read anew at once, and the old value does not outlive the first answer', async () => {
  const { values, take, changes } = start();
  values.retain([KEY]);
  const [first] = take();
  values.useProviders(new Map([['vault/1', { uri: 'https://other.example' }]]));
  const [second] = take();
  await first?.answer({ key: 'of the old provider' });
  assert.equal(values.valueOf(KEY), undefined);
  await second?.answer({ key: 'k' });
  values.useProviders(new Map([['vault/1', { uri: 'https://third.example' }]]));
  assert.equal(values.valueOf(KEY), 'k');
  await take()[0]?.answer(FAILED);
  assert.deepEqual([values.valueOf(KEY), changes.length], [undefined, 2]);
});

test('equal providers change nothing, and without its provider a secret is gone and nobody is asked', async () => {
  const { values, take, log } = start();
  values.retain([KEY]);
  await take()[0]?.answer({ key: 'k' });
  values.useProviders(new Map([['vault/1', { uri: 'https://vault.example' }]]));
  assert.equal(take().length, 0);
  values.useProviders(new Map());
  await settled();
  assert.deepEqual([values.valueOf(KEY), take().length], [undefined, 0]);
  assert.equal(log.lines.at(-1)?.fields.cause, 'there is no such secret provider');
});

test('what is released is forgotten and read no more, and comes back when it is retained again', async () => {
  const { values, clock, take } = start();
  values.retain([KEY, OTHER_FIELD]);
  await take()[0]?.answer({ key: 'k', other: 'o' });
  values.release([KEY]);
  assert.equal(values.valueOf(OTHER_FIELD), 'o');
  values.release([OTHER_FIELD, '$secret://vault/1/never/retained']);
  clock.advance(600_000);
  assert.deepEqual([values.valueOf(OTHER_FIELD), take().length, clock.pendingTasks], [undefined, 0, 0]);
  values.retain([KEY]);
  const [reading] = take();
  values.close();
  await reading?.answer({ key: 'k' });
  assert.deepEqual([values.valueOf(KEY), clock.pendingTasks], [undefined, 0]);
});

test('no more than eight secrets are read at once, and all are read in the end', async () => {
  const { values, take } = start();
  const references = Array.from({ length: 20 }, (_, index) => `$secret://vault/1/s${index}/key`);
  values.retain([...references, OTHER_SECRET]);
  const read: string[] = [];
  for (let readings = take(); readings.length > 0; readings = take()) {
    assert.ok(readings.length <= 8);
    for (const { name, answer } of readings) {
      read.push(name);
      await answer({ key: name });
    }
  }
  assert.equal(new Set(read).size, 21);
  assert.equal(values.valueOf(references[19] ?? ''), 's19');
});
