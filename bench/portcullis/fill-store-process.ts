import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as ControlPlane from '../../src/control-plane/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { digestKey } from '../../src/lib/key-digest.ts';
import type { ResourceWrite } from '../../src/store/index.ts';
import { KeyTable } from '../key-table.ts';

// Run as: fill-store-process.ts <checkout> <data folder> <number of keys>
// Writes consumers and credentials as the Admin API would, thousands to a transaction. The checkout's own store is used, so that
// another commit gets its own schema.
const [checkout = '', dataFolder = '', count = ''] = process.argv.slice(2);
const WRITES_PER_TRANSACTION = 5_000;
const AUTHOR = { id: 'bench', name: 'bench' };
const groupId = 'default';

const { systemClock } = await load<typeof import('../../src/lib/clock.ts')>('src/lib/clock.ts');
const { systemRandom } = await load<typeof import('../../src/lib/random.ts')>('src/lib/random.ts');
const { openControlPlaneStore } = await load<typeof ControlPlane>('src/control-plane/index.ts');
const keyringFile = path.join(dataFolder, 'keyring.json');
const store = await openControlPlaneStore({ dataFolder, keyringFile, clock: systemClock, random: systemRandom });
const salt = await store.getSetting('key-salt');
if (salt === undefined) throw new Error('the store has no salt: start the instance once before');

const keys = new KeyTable(Number(count));
let waiting: ResourceWrite[] = [];
for (let index = 0; index < keys.consumers; index++) await put(consumerWrite(keys.consumerAt(index)));
for (let index = 0; index < keys.count; index++) await put(credentialWrite(index, salt));
await flush();
await store.close();

async function load<Module>(file: string): Promise<Module> {
  return import(pathToFileURL(path.join(checkout, file)).href);
}

function consumerWrite(username: string): ResourceWrite {
  const document: JsonObject = { username };
  return { key: { groupId, kind: 'consumer', parentId: '', id: username }, document, secretPointers: [], unique: [], owner: undefined };
}

function credentialWrite(index: number, keySalt: Buffer): ResourceWrite {
  const { key, consumer } = keys.at(index);
  const id = `credential_${index}`;
  return {
    key: { groupId, kind: 'credential', parentId: consumer, id },
    document: { name: id, plugins: { 'key-auth': { key } } },
    secretPointers: ['/plugins/key-auth/key'],
    unique: [{ space: 'key-auth', digest: digestKey(keySalt, Buffer.from(key)) }],
    owner: { kind: 'consumer', id: consumer },
  };
}

async function put(write: ResourceWrite): Promise<void> {
  waiting.push(write);
  if (waiting.length >= WRITES_PER_TRANSACTION) await flush();
}

async function flush(): Promise<void> {
  const writes = waiting;
  waiting = [];
  await store.transaction(AUTHOR, async (transaction) => {
    for (const write of writes) await transaction.putResource(write);
  });
}
