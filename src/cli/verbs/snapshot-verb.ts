import path from 'node:path';
import { Command } from 'commander';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { openLog } from '../processes/log-settings.ts';
import { softwareVersion } from '../software-version.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `snapshot export` and `snapshot key`: what a gateway can start from when no control plane can be reached. */
export function snapshotVerb(): Command {
  return new Command('snapshot').description('Work with exported snapshots.').addCommand(exportCommand()).addCommand(keyCommand());
}

function exportCommand(): Command {
  const command = addStoreOptions(
    new Command('export').description('Write the configuration of a gateway group, encrypted and signed, to a file.'),
  )
    .requiredOption('--to <file>', 'file to write; one that is there is replaced as a whole')
    .option('--group <id>', 'gateway group', 'default');
  return command.action(async () => {
    const { to, group } = command.opts<{ to: string; group: string }>();
    const file = path.resolve(to);
    const { revision } = await withStore(storeConfigurationOf(command), async (store, { exportSnapshot }) => {
      try {
        return await exportSnapshot(optionsOf(store, group), file);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
        throw new StartError(`The snapshot ${file} cannot be written: ${error.message}.`, { cause: error });
      }
    });
    process.stdout.write(`Revision ${revision} of ${group} written to ${file}.\n`);
  });
}

function keyCommand(): Command {
  const command = addStoreOptions(
    new Command('key').description('Show the key that opens the snapshots of a gateway group, made on first use.'),
  ).option('--group <id>', 'gateway group', 'default');
  return command.action(async () => {
    const { group } = command.opts<{ group: string }>();
    const key = await withStore(storeConfigurationOf(command), (store, { showSnapshotKey }) => showSnapshotKey(optionsOf(store, group)));
    process.stdout.write(`export PORTCULLIS_SNAPSHOT_KEY=${key}\n`);
  });
}

function optionsOf<Opened>(store: Opened, groupId: string) {
  return {
    store,
    groupId,
    author: COMMAND_LINE_AUTHOR,
    clock: systemClock,
    random: systemRandom,
    log: openLog({ file: null, level: 'warn' }, 'cli'),
    softwareVersion: softwareVersion(),
  };
}
