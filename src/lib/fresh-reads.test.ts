import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreshReads } from './fresh-reads.ts';

function recordedReads() {
  const begun: { readonly key: string; readonly end: PromiseWithResolvers<number> }[] = [];
  const reads = new FreshReads((key) => {
    const end = Promise.withResolvers<number>();
    begun.push({ key, end });
    return end.promise;
  });
  return { begun, reads };
}

test('all who ask while a read is under way share the next one, which begins after that', async () => {
  const { begun, reads } = recordedReads();
  const first = reads.read('a');
  const [second, third] = [reads.read('a'), reads.read('a')];
  assert.equal(begun.length, 1);
  begun[0]?.end.resolve(1);
  assert.equal(await first, 1);
  assert.equal(begun.length, 2);
  begun[1]?.end.resolve(2);
  assert.deepEqual(await Promise.all([second, third]), [2, 2]);
  assert.equal(begun.length, 2);
});

test('keys do not wait for each other, and a read that fails does not keep the next one', async () => {
  const { begun, reads } = recordedReads();
  const [failing, other, next] = [reads.read('a'), reads.read('b'), reads.read('a')];
  assert.deepEqual(
    begun.map(({ key }) => key),
    ['a', 'b'],
  );
  begun[0]?.end.reject(new Error('away'));
  await assert.rejects(failing, /away/);
  begun[1]?.end.resolve(1);
  begun[2]?.end.resolve(2);
  assert.deepEqual(await Promise.all([other, next]), [1, 2]);
});
