import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { softwareVersion } from '../software-version.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { placeOf, withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `backup`: the whole store in one file, beside a running control plane. */
export function backupVerb(): Command {
  const backup = addStoreOptions(new Command('backup').description('Write the whole store into one file, while Portcullis runs or not.'))
    .requiredOption('--to <path>', 'file to write (mode 0600)')
    .option('--with-keyring', 'put the keyring into it too: then whoever has the file has every secret', false);
  return backup.action(async () => {
    const { to, withKeyring } = backup.opts<{ to: string; withKeyring: boolean }>();
    const configuration = storeConfigurationOf(backup);
    const file = path.resolve(to);
    const place = await placeOf(configuration);
    const { backUpStore, openKeyring } = await import('../../store/index.ts');
    // Opened for a moment: brings the schema up to date and makes sure of the keyring.
    await withStore(configuration, async () => {}, place);
    const keyring = await openKeyring({ file: configuration.keyringFile, random: systemRandom });
    const software = softwareVersion();
    const rows = await backUpStore({ place, file, keyring, withKeyring, software, clock: systemClock });
    // Once the file is complete: what is in the log has happened. The backup itself is from before the entry.
    await withStore(
      configuration,
      (store) =>
        store.transaction(COMMAND_LINE_AUTHOR, (transaction) =>
          transaction.appendAudit({
            ...{ at: Math.floor(systemClock.nowMs() / 1000), author: COMMAND_LINE_AUTHOR, action: 'store.backup', groupId: undefined },
            ...{ resource: path.basename(file), address: undefined, detail: { with_keyring: withKeyring } },
          }),
        ),
      place,
    ).catch(async (error: unknown) => {
      // Nothing leaves the store without an entry.
      await rm(file, { force: true });
      throw error;
    });
    const all = [...rows.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `Backup written to ${file}: ${all} rows, ${rows.get('resources') ?? 0} resources.\n${
        withKeyring
          ? 'It holds the keyring: whoever has the file has every secret in it. Keep it as you keep the keyring.\n'
          : `It does not hold the keyring: keep a copy of ${configuration.keyringFile} elsewhere, nothing opens the backup without it.\n`
      }`,
    );
  });
}
