import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../lib/clock.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type { Keyring } from '../keyring.ts';
import { CHAINED_SINCE, type Migration } from '../migrations/index.ts';
import { beginAuditChain } from './audit-log.ts';
import { checkKeyring } from './check-keyring.ts';
import type { DatabaseOptions } from './client-settings.ts';
import { isTransient, startFailure } from './failures.ts';
import { migrate } from './migrate.ts';
import { PostgresDatabase } from './postgres-database.ts';

const PAUSE_MS = 250;

/**
 * Connects, brings the schema up to date, makes sure that the keyring belongs to it, and chains the audit log
 * of older software. A server that is not there yet is waited for
 * up to `patienceMs`: where everything is started at once, it may be the last to be ready. The pauses are the machine's own time, since
 * they depend on another machine.
 *
 * @throws StartError when a person has to change something first; nothing has changed then.
 */
export async function openDatabase(options: {
  readonly database: DatabaseOptions;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly migrations: readonly Migration[];
  readonly patienceMs: number;
}): Promise<{ readonly database: PostgresDatabase; readonly cipher: FieldCipher }> {
  const startedAtMs = performance.now();
  // Of the first attempt that came so far: what comes after the migration may have to be tried again.
  let schemaBefore = Number.POSITIVE_INFINITY;
  for (;;) {
    const database = new PostgresDatabase(options.database);
    try {
      schemaBefore = Math.min(schemaBefore, await migrate(options));
      const cipher = await checkKeyring(database, options.keyring, Math.floor(options.clock.nowMs() / 1000));
      if (schemaBefore < CHAINED_SINCE) await beginAuditChain(database, cipher, Math.floor(options.clock.nowMs() / 1000));
      return { database, cipher };
    } catch (error) {
      await database.close();
      if (!isTransient(error) || performance.now() - startedAtMs > options.patienceMs) {
        throw startFailure(error, options.database.address);
      }
      await delay(PAUSE_MS);
    }
  }
}
