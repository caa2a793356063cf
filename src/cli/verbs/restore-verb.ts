import path from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { RestoreRules, StorePlace } from '../../store/index.ts';
import { claimDataFolder, openDataFolder } from '../../supervisor/index.ts';
import type { Configuration } from '../configuration/index.ts';
import { lockFileOf } from '../instance/instance-context.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { describeRestore, type FoundAudit } from './describe-restore.ts';
import { foldersOfTrial } from './folders-of-trial.ts';
import { keyringForRestore } from './keyring-for-restore.ts';
import { placeOf, withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

const CHAIN_FAILURE =
  'Everything was restored as it was in the backup, but its audit log is not whole (see above). Look into what was changed before you go on with it.';

interface RestoreOptions {
  readonly from: string;
  readonly replace: boolean;
  readonly dryRun: boolean;
  readonly withKeyring: boolean;
}

/** `restore`: the store of a backup, where there is none or in the place of another. */
export function restoreVerb(): Command {
  const restore = addStoreOptions(
    new Command('restore').description('Put the store of a backup into an empty data folder or database. Stop Portcullis first.'),
  )
    .requiredOption('--from <path>', 'file that backup has written')
    .option('--replace', 'in the place of the store that is there, which is kept', false)
    .option('--dry-run', 'change nothing: check the backup, and tell what would be valid again', false)
    .option('--with-keyring', 'add the keys that the backup carries to the keyring that is there; only for a backup that you trust', false);
  return restore.action(async () => {
    const { text, isWhole } = await restoreFrom(storeConfigurationOf(restore), restore.opts<RestoreOptions>());
    process.stdout.write(text);
    if (isWhole) return;
    process.stderr.write(`${CHAIN_FAILURE}\n`);
    process.exitCode = 1;
  });
}

async function restoreFrom(
  configuration: Configuration,
  { from, replace, dryRun: isTrial, withKeyring: takesCarried }: RestoreOptions,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const { dataFolder, keyringFile } = configuration;
  const file = path.resolve(from);
  const place = await placeOf(configuration);
  const { restoreStore } = await import('../../store/index.ts');
  const removeMade = foldersOfTrial(dataFolder, lockFileOf(dataFolder));
  openDataFolder(dataFolder);
  const lock = await claimDataFolder(lockFileOf(dataFolder), { waitMs: 0, clock: systemClock, onWait: () => {} });
  try {
    const taken = await keyringForRestore({ file: keyringFile, backup: file, takesCarried });
    const restored = await restoreStore({
      ...{ place, file, keyring: taken.keyring, rules: await restoreRules(), replace, isTrial, clock: systemClock },
      author: COMMAND_LINE_AUTHOR,
    }).catch(async (error: unknown) => {
      await taken.giveBack();
      throw error;
    });
    if (isTrial) {
      await taken.giveBack();
      return { text: describeRestore(restored, undefined), isWhole: true };
    }
    const audit = await examineRestored(configuration, place);
    const added = taken.hasTaken ? `The keys that the backup carries are in ${keyringFile}.\n` : '';
    return { text: `${describeRestore(restored, audit)}${added}`, isWhole: audit.breaks.length === 0 };
  } finally {
    lock.release();
    if (isTrial) await removeMade();
  }
}

async function restoreRules(): Promise<RestoreRules> {
  const { appendSession, SESSIONS_SETTING } = await import('../../distribution/index.ts');
  const { describeRestoredRecord, KINDS_ENDED_BY_RESTORE } = await import('../../control-plane/index.ts');
  return {
    sessions: { name: SESSIONS_SETTING, append: (value, groups) => appendSession(value, groups, systemRandom) },
    endedKinds: KINDS_ENDED_BY_RESTORE,
    describeRecord: describeRestoredRecord,
  };
}

/** Looks at the audit log of the restored store, in which the restore is already. */
function examineRestored(configuration: Configuration, place: StorePlace): Promise<FoundAudit> {
  return withStore(
    configuration,
    async (store, { FOUNDING_ACTION: founding }) => {
      const { verifyAuditChain } = await import('../../store/index.ts');
      return verifyAuditChain(store, { founding });
    },
    place,
  );
}
