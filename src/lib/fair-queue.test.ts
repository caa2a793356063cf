import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from './fair-queue.ts';

function makeQueue(most: number) {
  const queue = new FairQueue(most);
  const events: string[] = [];
  const enter = (key: string, name: string): void => {
    queue
      .turn(key, () => new Error('full'))
      .then(
        () => events.push(name),
        () => events.push(`${name} refused`),
      );
  };
  const go = async (): Promise<readonly string[]> => {
    queue.next();
    await Promise.resolve();
    await Promise.resolve();
    return events.splice(0);
  };
  return { queue, enter, go };
}

test('keys have turns one after the other, and under each the first comes first', async () => {
  const { queue, enter, go } = makeQueue(10);
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) enter(name.charAt(0), name);
  const order: string[] = [];
  for (let count = 0; count < 6; count += 1) order.push(...(await go()));
  assert.deepEqual(order, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  assert.deepEqual([queue.next(), queue.size], [false, 0]);
});

test('a full queue makes place for a newcomer at the cost of whoever has most, and of nobody who has as few', async () => {
  const { queue, enter, go } = makeQueue(4);
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) enter('a', name);
  enter('b', 'b1');
  enter('b', 'b2');
  enter('b', 'b3');
  enter('c', 'c1');
  assert.equal(queue.size, 4);
  assert.deepEqual(await go(), ['a5 refused', 'a4 refused', 'a3 refused', 'b3 refused', 'a2 refused', 'a1']);
  assert.deepEqual([await go(), await go(), await go()], [['b1'], ['c1'], ['b2']]);
});

test('many keys with one each fill it, and then there is no place to take', async () => {
  const { queue, enter, go } = makeQueue(3);
  for (const name of ['a', 'b', 'c', 'd']) enter(name, name);
  assert.equal(queue.size, 3);
  assert.deepEqual(await go(), ['d refused', 'a']);
});
