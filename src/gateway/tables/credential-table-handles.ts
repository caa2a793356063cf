import type { Random } from '../../lib/random.ts';
import type { SharedDigestTableHandles } from '../../lib/shared-digest-table-writer.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ReadableSchema } from '../../plugin-kit/index.ts';
import type { PluginSettings } from '../runtime/settings.ts';

/** Shared memory and fixed facts of the credential tables. Can be posted to worker threads. */
export interface CredentialTableHandles {
  /** Auth plugins in the order of their space numbers. */
  readonly plugins: readonly string[];
  readonly table: SharedDigestTableHandles;
  /** The current record of each consumer, by index. */
  readonly consumers: SharedArrayBuffer;
  readonly epochs: SharedArrayBuffer;
}

/** What the tables are made with. */
export interface CredentialTableOptions {
  /** Names of the auth plugins that look consumers up by key; a key digest of another plugin is ignored with a warning. */
  readonly plugins: readonly string[];
  /** All plugins that a consumer's may be: theirs are read when the consumer comes. One that is not among them is kept as invalid. */
  readonly consumerPlugins?: readonly ReadableSchema[];
  /** What is done to a consumer's plugins when they have been read: secret references are resolved. Nothing when absent. */
  readonly resolvePlugins?: (plugins: PluginSettings) => PluginSettings;
  /** Most workers that can read at once; while one is replaced it counts twice. */
  readonly maxReaders: number;
  readonly random: Random;
  readonly log: Logger;
  /** Reserved address space of the records; 1 GiB (some 15 million keys) when absent. */
  readonly maxRecordBytes?: number;
}

/** The space in which consumers are found by name; plugins count up from 0 and end below it. */
export const CONSUMER_SPACE = 255;
