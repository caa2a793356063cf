// Run by tests in a process of its own: `<database> <keyring>`. Inserts credentials one by one, for ever, and prints the number of each
// one that is committed, or the reason why the store refused it, after which it ends.
import { writeSync } from 'node:fs';
import { PortcullisError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { credentialWrite, putAll } from '../contract/sample-writes.ts';
import { openKeyring } from '../keyring.ts';
import { openSqliteStore } from './sqlite-store.ts';

const [file = '', keyringFile = ''] = process.argv.slice(2);
const keyring = await openKeyring({ file: keyringFile, random: systemRandom });
const store = await openSqliteStore({ file, keyring, clock: systemClock });
try {
  for (let number = 0; ; number += 1) {
    await putAll(store, credentialWrite('alice', `c${number}`, `key-${number}`));
    writeSync(1, `${number}\n`);
  }
} catch (error) {
  if (!(error instanceof PortcullisError)) throw error;
  writeSync(1, `${error.reason}\n`);
}
await store.close();
