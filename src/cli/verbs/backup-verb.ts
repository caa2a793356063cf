import path from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { softwareVersion } from '../software-version.ts';
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
    // Opened for a moment: brings the schema up to date and makes sure of the keyring. What was taken out is in the log.
    await withStore(
      configuration,
      (store) =>
        store.transaction(AUTHOR, (transaction) =>
          transaction.appendAudit({
            ...{ at: Math.floor(systemClock.nowMs() / 1000), author: AUTHOR, action: 'store.backup', groupId: undefined },
            ...{ resource: path.basename(file), address: undefined, detail: { with_keyring: withKeyring } },
          }),
        ),
      place,
    );
    const keyring = await openKeyring({ file: configuration.keyringFile, random: systemRandom });
    const software = softwareVersion();
    const rows = await backUpStore({ place, file, keyring, withKeyring, software, clock: systemClock });
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

const AUTHOR = { id: 'cli', name: 'command line' };
