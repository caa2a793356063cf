import path from 'node:path';
import { openControlPlaneStore } from '../../src/control-plane/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { consumerAt, consumerName } from './sample-consumers.ts';

// Run as: fill-consumers-process.ts <data folder> <number of consumers>, into the database that DATABASE_URL names where it is set
const [dataFolder = '', count = ''] = process.argv.slice(2);
const WRITES_PER_TRANSACTION = 5_000;

const keyringFile = path.join(dataFolder, 'keyring.json');
const url = process.env.DATABASE_URL;
const patience = { connections: 2, timeoutMs: 60_000, statementTimeoutMs: 60_000, patienceMs: 0 };
const database = url === undefined || url === '' ? undefined : { url, schema: 'portcullis', ...patience };
const store = await openControlPlaneStore({ dataFolder, keyringFile, database, clock: systemClock, random: systemRandom });
for (let start = 0; start < Number(count); start += WRITES_PER_TRANSACTION) {
  await store.transaction({ id: 'bench', name: 'bench' }, async (transaction) => {
    for (let number = start; number < Math.min(Number(count), start + WRITES_PER_TRANSACTION); number++) {
      const key = { groupId: 'default', kind: 'consumer', parentId: '', id: consumerName(number) };
      await transaction.putResource({ key, document: consumerAt(number), secretPointers: [], unique: [], owner: undefined });
    }
  });
}
await store.close();
