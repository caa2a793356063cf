import { type Command, Option } from 'commander';
import { type Configuration, readConfiguration } from '../configuration/index.ts';

/** The settings by which a command finds the store. */
export function addStoreOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: portcullis.yaml, where there is one)')
    .addOption(new Option('--data-dir <path>', 'data folder of the control plane [PORTCULLIS_DATA_DIR, default ./data]'))
    .addOption(new Option('--keyring-file <path>', 'its keyring [PORTCULLIS_KEYRING_FILE, default <data-dir>/keyring.json]'))
    .addOption(
      new Option('--database-schema <text>', 'its schema in the database of DATABASE_URL [PORTCULLIS_DATABASE_SCHEMA, default portcullis]'),
    );
}

/** Reads them. @throws StartError */
export function storeConfigurationOf(command: Command): Configuration {
  const options = command.opts<{ config?: string; dataDir?: string; keyringFile?: string; databaseSchema?: string }>();
  const flags = new Map<string, string>();
  if (options.dataDir !== undefined) flags.set('data-dir', options.dataDir);
  if (options.keyringFile !== undefined) flags.set('keyring-file', options.keyringFile);
  if (options.databaseSchema !== undefined) flags.set('database-schema', options.databaseSchema);
  return readConfiguration({ flags, environment: process.env, folder: process.cwd(), file: options.config });
}
