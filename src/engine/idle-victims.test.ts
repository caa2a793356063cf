import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IdleConnection, IdleVictims } from './idle-victims.ts';

class Connection implements IdleConnection {
  sinceMs: number;

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  idleSinceMs(): number {
    return this.sinceMs;
  }
}

test('the connection idle longest is found first', () => {
  const connections = [30, 10, 20].map((sinceMs) => new Connection(sinceMs));
  const victims = new IdleVictims(connections);
  assert.deepEqual(
    [1, 2, 3].map(() => victims.take(10_000)?.sinceMs),
    [10, 20, 30],
  );
});

test('one that became idle long after the last look is found, though all that the look had found are busy by now', () => {
  const connections = [new Connection(10), new Connection(20)];
  const victims = new IdleVictims(connections);
  assert.equal(victims.take(10_000), connections[0]);
  for (const connection of connections) connection.sinceMs = -1;
  const later = new Connection(60_000);
  connections.push(later);
  assert.equal(victims.take(70_000), later);
});

test('a flood of refusals does not cost a look each', () => {
  let looks = 0;
  const victims = new IdleVictims<Connection>({
    [Symbol.iterator]: () => {
      looks++;
      return [][Symbol.iterator]();
    },
  });
  for (let times = 0; times < 1000; times++) assert.equal(victims.take(100), undefined);
  assert.equal(looks, 1);
});
