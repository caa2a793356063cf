// The worker of shared-digest-table-race.test.ts: reads while the test's thread writes, and reports what was wrong.
import { parentPort, workerData } from 'node:worker_threads';
import { EpochRow } from './epoch-registry.ts';
import { digestOfKey, type RaceReaderData, type RaceReport, STABLE_KEYS, VOLATILE_KEYS } from './shared-digest-table-race-keys.ts';
import { SharedDigestTableReader } from './shared-digest-table-reader.ts';

const PASS_EVERY = 64;

function run({ handles, epochs, row, finds, seed }: RaceReaderData): RaceReport {
  const reader = new SharedDigestTableReader(handles);
  const epoch = new EpochRow(epochs, row);
  const report = { hits: 0, wrong: 0, missedStable: 0 };
  const digests = Array.from({ length: STABLE_KEYS + VOLATILE_KEYS }, (_, key) => digestOfKey(key));
  let held: { readonly record: number; readonly digest: Buffer }[] = [];
  let state = seed;
  for (let count = 0; count < finds; count++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const key = (state >>> 8) % digests.length;
    const digest = digests[key] ?? Buffer.alloc(0);
    const record = reader.find(1, digest);
    if (record >= 0) {
      report.hits += 1;
      if (!isWhole(reader, record, digest)) report.wrong += 1;
      held.push({ record, digest });
    } else if (key < STABLE_KEYS) report.missedStable += 1;
    if (count % PASS_EVERY !== 0) continue;
    // What was found since the last pass must have stayed what it was, though its key may be gone by now.
    report.wrong += held.filter((found) => !isWhole(reader, found.record, found.digest)).length;
    held = [];
    epoch.pass();
  }
  return report;
}

/** A payload is the digest of its key, then one byte repeated. */
function isWhole(reader: SharedDigestTableReader, record: number, digest: Buffer): boolean {
  const start = reader.payloadStart(record);
  const end = start + reader.payloadLength(record);
  const { bytes } = reader.records;
  if (end - start < digest.length + 1 || bytes.compare(digest, 0, digest.length, start, start + digest.length) !== 0) return false;
  const filler = bytes[end - 1];
  for (let at = start + digest.length; at < end; at++) if (bytes[at] !== filler) return false;
  return true;
}

parentPort?.postMessage(run(workerData));
