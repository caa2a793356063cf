import { CredentialIndexReader, CredentialIndexWriter } from '../../src/gateway/tables/index.ts';
import { digestKey } from '../../src/lib/key-digest.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SILENT } from './silent-log.ts';

const ROUNDS = 15;
const LOOK_UPS = 50_000;

/** Microseconds of CPU time a look-up of a presented key, digest included, among so many: the median of the rounds. */
export function measureLookUp(keyCount: number): number {
  const salt = systemRandom.bytes(32);
  const writer = new CredentialIndexWriter({ plugins: ['key-auth'], maxReaders: 1, random: systemRandom, log: SILENT });
  const keys = Array.from({ length: keyCount }, (_, index) => `key-${index}-${'k'.repeat(20)}`);
  for (const [index, key] of keys.entries()) {
    const id = `c${index}`;
    const digest = digestKey(salt, Buffer.from(key)).toString('base64');
    writer.applyPut({ kind: 'consumer', id, value: { username: id, labels: {} }, keys: [{ plugin: 'key-auth', digest }] });
  }
  const reader = new CredentialIndexReader(writer.handles, writer.registerReader());
  const rounds: number[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.threadCpuUsage();
    // A stride that is prime to the count: neighbours in memory are not asked for one after the other.
    for (let count = 0; count < LOOK_UPS; count++) {
      if (reader.findByKey('key-auth', salt, keys[(count * 7919) % keyCount] ?? '') !== undefined) found++;
    }
    const spent = process.threadCpuUsage(before);
    rounds.push((spent.user + spent.system) / LOOK_UPS);
  }
  if (found !== ROUNDS * LOOK_UPS) throw new Error('a key was not found');
  return rounds.toSorted((one, other) => one - other)[ROUNDS >> 1] ?? Number.NaN;
}
