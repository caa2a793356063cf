import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EpochRegistry, EpochRow } from './epoch-registry.ts';
import { RecordArena, SharedTableFull, UNIT_BYTES } from './record-arena.ts';

test('records do not overlap and survive growth', () => {
  const arena = new RecordArena(new EpochRegistry(1), 64 * 1024 * 1024);
  const records = Array.from({ length: 3000 }, (_, index) => ({
    unit: arena.allocate(1 + (index % 300)),
    length: 1 + (index % 300),
    fill: index & 0xff,
  }));
  for (const { unit, length, fill } of records) arena.bytes.fill(fill, unit * UNIT_BYTES, unit * UNIT_BYTES + length);
  for (const { unit, length, fill } of records) {
    const bytes = arena.bytes.subarray(unit * UNIT_BYTES, unit * UNIT_BYTES + length);
    assert.ok(bytes.every((byte) => byte === fill));
  }
});

test('a retired record is used again, but not before readers have passed', () => {
  const epochs = new EpochRegistry(1);
  const reader = new EpochRow(epochs.buffer, epochs.register());
  const arena = new RecordArena(epochs, 64 * 1024);
  const unit = arena.allocate(60);
  arena.retire(unit, 60);
  assert.notEqual(arena.allocate(60), unit);
  reader.pass();
  assert.equal(arena.allocate(58), unit);
});

test('records of changing lengths that come and go do not make the arena grow for ever', () => {
  const arena = new RecordArena(new EpochRegistry(1), 16 * 1024 * 1024);
  const churn = (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      const lengths = Array.from({ length: 50 }, (_, index) => 40 + ((round * 37 + index * 101) % 900));
      for (const [unit, length] of lengths.map((length) => [arena.allocate(length), length] as const)) arena.retire(unit, length);
      arena.reclaim(1000);
    }
  };
  churn(1000);
  const used = arena.usedBytes;
  churn(5000);
  assert.ok(arena.usedBytes <= used * 1.1, `${used} -> ${arena.usedBytes}`);
});

test('a full arena says so and stays usable', () => {
  const arena = new RecordArena(new EpochRegistry(1), 4096);
  const unit = arena.allocate(3000);
  assert.throws(() => arena.allocate(3000), SharedTableFull);
  arena.retire(unit, 3000);
  assert.equal(arena.allocate(3000), unit);
});
