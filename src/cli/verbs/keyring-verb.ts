import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { PortcullisError, StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import type { ChangeKeysOptions, ReEncrypted } from '../../store/index.ts';
import type { Configuration } from '../configuration/index.ts';
import { keyringOfInstance } from '../instance/instance-record.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { describeKeys } from './describe-keys.ts';
import { placeOf, tellOnTerminal, withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `keyring`: another key for what the store holds encrypted, while control planes run. */
export function keyringVerb(): Command {
  return new Command('keyring')
    .description('Change the key that encrypts secrets in the store, while Portcullis runs or not.')
    .addCommand(listVerb())
    .addCommand(rotateVerb())
    .addCommand(addVerb())
    .addCommand(reEncryptVerb())
    .addCommand(retireVerb());
}

function listVerb(): Command {
  const list = storeVerb('list', 'Show the keys, what each of them has encrypted, and which control planes lack one. No key is printed.');
  return list.action(() =>
    run(list, async (options) => {
      const { surveyKeys } = await import('../../store/index.ts');
      process.stdout.write(describeKeys(await surveyKeys(options)));
    }),
  );
}

function addVerb(): Command {
  const add = storeVerb('add', 'Put a new key into the keyring file, to be brought to all control planes before rotate uses it.').option(
    '--replace',
    'in the place of one that was added before and got lost',
    false,
  );
  return add.action(() =>
    run(add, async (options, { keyringFile }) => {
      const { addKey } = await import('../../store/index.ts');
      const { id, fingerprint, isNew } = await addKey({ ...options, replace: add.opts<{ replace: boolean }>().replace });
      process.stdout.write(
        `${isNew ? `Added the key ${id} (${fingerprint}) to ${keyringFile}` : `The key ${id} (${fingerprint}) was added already`}; nothing is encrypted with it yet.\nBring the file to every other control plane, keep a copy of it elsewhere, and run portcullis keyring rotate.\n`,
      );
    }),
  );
}

function rotateVerb(): Command {
  const rotate = storeVerb('rotate', 'Encrypt everything with a new key. A run that was cut off is finished by the next one.').option(
    '--wait <seconds>',
    'how long control planes are waited for that do not have the key yet',
    '10',
  );
  return rotate.action(() =>
    run(rotate, async (options, configuration) => {
      const { rotateKey } = await import('../../store/index.ts');
      const { wait } = rotate.opts<{ wait: string }>();
      if (!/^\d{1,4}$/.test(wait)) throw new StartError(`--wait must be a whole number of seconds, not "${wait}".`);
      const done = await rotateKey({ ...options, waitMs: Number(wait) * 1000, onProgress: tellProgress(), onOrderFailure: tellFailure });
      const began = done.isResumed ? 'The rotation that was cut off is finished: the' : 'The';
      process.stdout.write(`${began} key ${done.keyId} encrypts now, and ${done.values} values were encrypted anew with it.\n`);
      tellDamaged(done);
      process.stdout.write(
        `Keep a copy of ${configuration.keyringFile} elsewhere. Backups from before need the key that it replaces: when none of them counts any more, run portcullis keyring retire.\n`,
      );
    }),
  );
}

function reEncryptVerb(): Command {
  const again = storeVerb('re-encrypt', 'Encrypt with the present key what is encrypted with another one.');
  return again.action(() =>
    run(again, async (options) => {
      const { reEncrypt } = await import('../../store/index.ts');
      const done = await reEncrypt({ ...options, onProgress: tellProgress() });
      process.stdout.write(`${done.values} values were encrypted anew with the key ${done.keyId}.\n`);
      tellDamaged(done);
    }),
  );
}

function retireVerb(): Command {
  const retire = storeVerb('retire', 'Remove a key with which nothing is encrypted any more.').argument('<key>', 'id of the key');
  return retire.action((keyId: string) =>
    run(retire, async (options, { dataFolder, keyringFile }) => {
      const { retireKey } = await import('../../store/index.ts');
      await retireKey({ ...options, keyId });
      process.stdout.write(
        `The key ${keyId} is retired and no longer in ${keyringFile}. Remove it from the files of other control planes too.\nBackups from before the rotation open only with it.\n`,
      );
      const copies = keptCopies(dataFolder);
      if (copies.length > 0) process.stdout.write(`So do, where they are from before: ${copies.join(', ')}.\n`);
    }),
  );
}

function storeVerb(name: string, description: string): Command {
  return addStoreOptions(new Command(name).description(description));
}

async function run(command: Command, work: (options: ChangeKeysOptions, configuration: Configuration) => Promise<void>): Promise<void> {
  const configuration = storeConfigurationOf(command);
  const place = await placeOf(configuration);
  if (place.kind === 'sqlite') refuseOtherKeyring(configuration);
  await withStore(
    configuration,
    (store) => work({ store, author: COMMAND_LINE_AUTHOR, clock: systemClock, pause: (durationMs) => delay(durationMs) }, configuration),
    place,
  ).catch((error: unknown) => Promise.reject(asSentence(error)));
}

/** Every step can be repeated, so that is all that a person has to know. */
function asSentence(error: unknown): unknown {
  if (!(error instanceof PortcullisError) || error.reason !== 'store_unavailable') return error;
  return new StartError(`The store did not answer (${error.message}). Nothing is lost: run the same command again.`, { cause: error });
}

/** An instance with another file would find itself without the new key. */
function refuseOtherKeyring({ dataFolder, keyringFile }: Configuration): void {
  const used = keyringOfInstance(dataFolder);
  if (used === undefined || used === keyringFile) return;
  throw new StartError(`The instance in ${dataFolder} uses the keyring ${used}: name it with --keyring-file.`);
}

function tellProgress(): (progress: { readonly values: number }) => void {
  const intervalMs = 1_000;
  let toldAtMs = systemClock.monotonicMs();
  return ({ values }) => {
    if (systemClock.monotonicMs() - toldAtMs < intervalMs) return;
    toldAtMs = systemClock.monotonicMs();
    tellOnTerminal(`${values} values encrypted anew`);
  };
}

/** The order of the file is for others: nothing depends on it here. */
function tellFailure(error: unknown): void {
  if (!(error instanceof StartError)) throw error;
  tellOnTerminal(`${error.message} The key that encrypts should come first in it.`);
}

function tellDamaged({ damaged }: ReEncrypted): void {
  if (damaged.length === 0) return;
  const most = 100;
  const names = damaged.slice(0, most).map((name) => `- ${JSON.stringify(name).slice(1, -1)}`);
  if (damaged.length > most) names.push(`- and ${damaged.length - most} more`);
  tellOnTerminal(`These values cannot be opened, and stay as they are; write them anew or delete them:\n${names.join('\n')}`);
  process.exitCode = 1;
}

/** Copies of the store that upgrades and restores have left. */
function keptCopies(dataFolder: string): readonly string[] {
  return readdirSync(dataFolder)
    .filter((name) => /^store\.sqlite\.(?:before|replaced)-\d+$/.test(name))
    .map((name) => path.join(dataFolder, name));
}
