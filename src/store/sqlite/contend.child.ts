// Run by tests in a process of its own: `<database> <keyring> <username> <rounds>`. Waits for a line on standard input, then tries to
// take the same keys as every other such process and prints for each round the username of the holder.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { UniqueConflict } from '../conflicts.ts';
import { credentialWrite, putAll } from '../contract/sample-writes.ts';
import { openKeyring } from '../keyring.ts';
import { openSqliteStore } from './sqlite-store.ts';

const [file = '', keyringFile = '', username = '', rounds = ''] = process.argv.slice(2);
const keyring = await openKeyring({ file: keyringFile, random: systemRandom });
const store = await openSqliteStore({ file, keyring, clock: systemClock });
writeSync(1, 'ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
for (let round = 0; round < Number(rounds); round += 1) {
  try {
    await putAll(store, credentialWrite(username, `c${round}`, `key-${round}`));
    writeSync(1, `${round} ${username}\n`);
  } catch (error) {
    if (!(error instanceof UniqueConflict)) throw error;
    writeSync(1, `${round} ${error.holder.parentId}\n`);
  }
}
await store.close();
