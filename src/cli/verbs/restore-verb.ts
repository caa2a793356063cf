import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { ChainReport, RestoredStore } from '../../store/index.ts';
import { claimDataFolder, openDataFolder } from '../../supervisor/index.ts';
import type { Configuration } from '../configuration/index.ts';
import { lockFileOf } from '../instance/instance-context.ts';
import { describeReport } from './audit-verb.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { placeOf, withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

const MOST_NAMED = 100;
const CHAIN_FAILURE =
  'Everything was restored as it was in the backup, but its audit log is not whole (see above). Look into what was changed before you go on with it.';

/** `restore`: the store of a backup, where there is none or in the place of another. */
export function restoreVerb(): Command {
  const restore = addStoreOptions(
    new Command('restore').description('Put the store of a backup into an empty data folder or database. Stop Portcullis first.'),
  )
    .requiredOption('--from <path>', 'file that backup has written')
    .option('--replace', 'in the place of the store that is there, which is kept', false);
  return restore.action(async () => {
    const { from, replace } = restore.opts<{ from: string; replace: boolean }>();
    const { text, isWhole } = await restoreFrom(storeConfigurationOf(restore), { file: path.resolve(from), replace });
    process.stdout.write(text);
    if (isWhole) return;
    process.stderr.write(`${CHAIN_FAILURE}\n`);
    process.exitCode = 1;
  });
}

async function restoreFrom(
  configuration: Configuration,
  options: { readonly file: string; readonly replace: boolean },
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const { dataFolder, keyringFile } = configuration;
  const { file, replace } = options;
  const place = await placeOf(configuration);
  const { createDurably, keyringOfBackup, openKeyring, restoreStore, verifyAuditChain } = await import('../../store/index.ts');
  const { appendSession, SESSIONS_SETTING } = await import('../../distribution/index.ts');
  openDataFolder(dataFolder);
  const lock = await claimDataFolder(lockFileOf(dataFolder), { waitMs: 0, clock: systemClock, onWait: () => {} });
  const carried = existsSync(keyringFile) ? undefined : await keyringOfBackup(file);
  try {
    if (carried !== undefined) await createDurably(keyringFile, carried);
    const keyring = await openKeyring({ file: keyringFile, random: systemRandom });
    const sessions = {
      name: SESSIONS_SETTING,
      append: (value: Buffer | undefined, groups: readonly { readonly id: string; readonly revision: number }[]) =>
        appendSession(value, groups, systemRandom),
    };
    const restored = await restoreStore({ place, file, keyring, sessions, replace, clock: systemClock }).catch(async (error: unknown) => {
      if (carried !== undefined) await rm(keyringFile, { force: true });
      throw error;
    });
    return await withStore(
      configuration,
      async (store, { FOUNDING_ACTION: founding }) => {
        const audit = await verifyAuditChain(store, { founding });
        const detail = { made_at: restored.madeAt, kept_as: restored.keptAs ?? null };
        const entry = {
          at: Math.floor(systemClock.nowMs() / 1000),
          author: COMMAND_LINE_AUTHOR,
          action: 'store.restore',
          groupId: undefined,
        };
        await store.transaction(COMMAND_LINE_AUTHOR, (transaction) =>
          transaction.appendAudit({ ...entry, resource: path.basename(file), address: undefined, detail }),
        );
        return { text: report(restored, audit, await store.listGroups()), isWhole: audit.breaks.length === 0 };
      },
      place,
    );
  } finally {
    lock.release();
  }
}

function report(
  restored: RestoredStore,
  audit: ChainReport,
  groups: readonly { readonly id: string; readonly revision: number }[],
): string {
  const { madeAt, tables, keptAs, broughtBack: back } = restored;
  const all = [...tables.values()].reduce((sum, { rows }) => sum + rows, 0);
  const lines = [
    `Restored the backup of ${new Date(madeAt * 1000).toISOString()}: ${all} rows, ${tables.get('resources')?.rows ?? 0} resources.`,
    `Revisions go on from: ${groups.map(({ id, revision }) => `${id} ${revision}`).join(', ')}.`,
    describeReport(audit).trimEnd(),
  ];
  if (keptAs !== undefined) lines.push(`The store that was there is kept as ${keptAs}.`);
  if (back === undefined) {
    lines.push('Keys, tokens and users that were removed or revoked since the backup are valid again: revoke them anew before you start.');
  } else if (back.credentials.length + back.tokens.length + back.users.length > 0) {
    lines.push('Valid again, though no longer so in the store that was there:', ...named('key of', back.credentials));
    lines.push(...named('token', back.tokens), ...named('user', back.users));
  }
  return `${lines.join('\n')}\n`;
}

function named(what: string, names: readonly string[]): readonly string[] {
  const lines = names.slice(0, MOST_NAMED).map((name) => `- ${what} ${printable(name)}`);
  return names.length > MOST_NAMED ? [...lines, `- and ${names.length - MOST_NAMED} more (${what})`] : lines;
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
