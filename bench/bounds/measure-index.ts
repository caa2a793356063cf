import { CredentialIndexWriter } from '../../src/gateway/tables/index.ts';
import { DIGEST_BYTES } from '../../src/lib/key-digest.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SILENT } from './silent-log.ts';

/** Bytes that the index shared by all workers takes for each of so many keys, their consumers included. */
export function measureIndex(keyCount: number, keysOfConsumer: number): number {
  const writer = new CredentialIndexWriter({ plugins: ['key-auth'], maxReaders: 1, random: systemRandom, log: SILENT });
  const empty = writer.usage.bytes;
  for (let index = 0; index < keyCount; index++) {
    const consumer = `consumer_${Math.floor(index / keysOfConsumer)}`;
    if (index % keysOfConsumer === 0)
      writer.applyPut({ kind: 'consumer', id: consumer, value: { username: consumer, labels: {} }, keys: [] });
    const digest = systemRandom.bytes(DIGEST_BYTES).toString('base64');
    const id = `credential-${index}`;
    writer.applyPut({ kind: 'credential', consumer, id, value: { plugins: {} }, keys: [{ plugin: 'key-auth', digest }] });
  }
  if (writer.credentialCount !== keyCount) throw new Error('a key is missing');
  return (writer.usage.bytes - empty) / keyCount;
}
