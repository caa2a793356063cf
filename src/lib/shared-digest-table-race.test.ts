import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { EpochRegistry } from './epoch-registry.ts';
import { RecordArena } from './record-arena.ts';
import { digestOfKey, type RaceReaderData, type RaceReport, STABLE_KEYS, VOLATILE_KEYS } from './shared-digest-table-race-keys.ts';
import { SharedDigestTableWriter } from './shared-digest-table-writer.ts';

const READERS = 2;
const FINDS = 400_000;
const CHANGES_PER_TURN = 500;

/** Changes the table in every way: replaces, adds, removes, and pushes it through growth and clean-up by keys nobody asks for. */
class Churn {
  readonly #writer: SharedDigestTableWriter;
  readonly #digests = Array.from({ length: STABLE_KEYS + VOLATILE_KEYS }, (_, key) => digestOfKey(key));
  #state = 99;
  #passing = 0;
  changes = 0;

  constructor(writer: SharedDigestTableWriter) {
    this.#writer = writer;
    for (let key = 0; key < STABLE_KEYS; key++) this.#put(key);
  }

  step(): void {
    this.changes += 1;
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    const key = (this.#state >>> 8) % this.#digests.length;
    const remove = key >= STABLE_KEYS && (this.#state & 0x80) === 0;
    if (remove) this.#writer.remove(1, this.#digests[key] ?? Buffer.alloc(0));
    else this.#put(key);
    if (this.changes % 4 === 0) this.#passBy();
  }

  #put(key: number): void {
    const digest = this.#digests[key] ?? Buffer.alloc(0);
    const filler = Buffer.alloc(1 + ((this.#state >>> 16) % 60), this.#state & 0xff);
    this.#writer.put(1, digest, Buffer.concat([digest, filler]));
  }

  #passBy(): void {
    this.#passing += 1;
    this.#writer.put(2, digestOfKey(1_000_000 + this.#passing), Buffer.alloc(40));
    if (this.#passing > 6000) this.#writer.remove(2, digestOfKey(1_000_000 + this.#passing - 6000));
  }
}

test('readers on other threads only ever find whole records of the key asked for, and never miss one that is there', async () => {
  const epochs = new EpochRegistry(READERS);
  const arena = new RecordArena(epochs, 256 * 1024 * 1024);
  const writer = new SharedDigestTableWriter({ arena, seed: 7, maxSlotBytes: 64 * 1024 * 1024 });
  const churn = new Churn(writer);
  const firstSlotBytes = writer.handles.slots.byteLength;
  let running = READERS;
  const reports = Array.from({ length: READERS }, async (_, index) => {
    const workerData: RaceReaderData = {
      handles: writer.handles,
      epochs: epochs.buffer,
      row: epochs.register(),
      finds: FINDS,
      seed: index + 1,
    };
    const worker = new Worker(new URL('./shared-digest-table-race-reader.ts', import.meta.url), { workerData });
    try {
      const [report]: RaceReport[] = await once(worker, 'message');
      return report;
    } finally {
      running -= 1;
      epochs.release(workerData.row);
      await worker.terminate();
    }
  });
  while (running > 0) {
    for (let count = 0; count < CHANGES_PER_TURN; count++) churn.step();
    await nextTurn();
  }
  for (const report of await Promise.all(reports)) {
    assert.ok(report);
    assert.ok(report.hits > FINDS / 10, 'the readers found next to nothing');
    assert.equal(report.wrong, 0);
    assert.equal(report.missedStable, 0);
  }
  assert.ok(churn.changes >= CHANGES_PER_TURN);
  assert.ok(writer.handles.slots.byteLength > firstSlotBytes, 'the table did not grow during the race');
});
