import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { Logger } from '../../observability/logger.ts';
import type { HeldConfiguration } from '../held-configuration.ts';
import type { SnapshotKey } from '../snapshot-key.ts';
import { downloadSnapshot } from './download-snapshot.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';
import { SnapshotFileReader } from './snapshot-file-reader.ts';
import type { SnapshotHeader } from './snapshot-header.ts';
import { SnapshotNotNewer } from './snapshot-not-newer.ts';
import { describePlace, type SnapshotPlace } from './snapshot-place.ts';
import { SnapshotStreamCheck } from './snapshot-stream-check.ts';
import { spaceForDownload } from './space-for-download.ts';
import { takeSnapshotFile } from './take-snapshot-file.ts';

/** Where snapshots come from, and whom it tells. */
export interface SnapshotTakerOptions {
  readonly place: SnapshotPlace;
  readonly key: SnapshotKey;
  readonly allowOlder: boolean;
  /** Larger ones are refused. */
  readonly maxBytes: number;
  /** Downloads go here for as long as they are read. */
  readonly folder: string;
  readonly mayDial: DialPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  /** A verified snapshot was made at this time, and what is in force is at least as new. */
  readonly onFresh?: (createdAtMs: number) => void;
}

/** How long control planes wait for a snapshot when there is a disk copy to serve from, … */
const PATIENCE_MS = 3_000;
/** … and when there is not: a slow server must not keep a gateway from control planes that are there. */
const LONGEST_PATIENCE_MS = 60_000;

/** Takes configurations from exported snapshots. Whatever fails, what is in force stays. */
export class SnapshotTaker {
  readonly #options: SnapshotTakerOptions;
  /** Of what lies at the URL, and what is wrong with that. */
  #known: { readonly etag: string | undefined; readonly problem: string | undefined } | undefined;
  #lastProblem = '';
  /** Of the local file that was last found good. */
  #seen = '';

  constructor(options: SnapshotTakerOptions) {
    this.#options = options;
  }

  /** The snapshot is a file of this machine: looking at it waits for nobody. */
  get isLocal(): boolean {
    return this.#options.place.kind === 'file';
  }

  /**
   * The same before control planes are asked. A snapshot from the network is waited for three seconds when there is a disk copy to serve
   * from, else a minute: control planes know better. Resolves when nothing of it is being applied any more.
   */
  async takeBeforeConnecting(held: HeldConfiguration, signal: AbortSignal): Promise<void> {
    const patience = new AbortController();
    const patienceMs = held.revision === undefined ? LONGEST_PATIENCE_MS : PATIENCE_MS;
    const cancel = this.#options.clock.schedule(patienceMs, () => patience.abort());
    await this.takeOnce(held, AbortSignal.any([signal, patience.signal]));
    cancel();
  }

  /** Looks for a snapshot once and puts it in force when it is newer than what is. Never rejects; a problem is logged once. */
  async takeOnce(held: HeldConfiguration, signal: AbortSignal): Promise<void> {
    const { place, log } = this.#options;
    try {
      const problem = await (place.kind === 'file' ? this.#takeFile(place.path, held) : this.#takeUrl(place.url, held, signal));
      this.#tell(problem ?? '');
    } catch (error) {
      if (signal.aborted) return;
      this.#tell(messageOf(error));
    }
    log.debug('the snapshot was looked at', { snapshot: describePlace(place) });
  }

  async #takeUrl(url: string, held: HeldConfiguration, signal: AbortSignal): Promise<string | undefined> {
    const { folder, key, mayDial, clock, maxBytes } = this.#options;
    const file = path.join(folder, 'snapshot.download');
    try {
      const known = held.revision === undefined && this.#known?.problem === undefined ? undefined : this.#known;
      const check = new SnapshotStreamCheck(key, (header) => this.#requireWanted(header, held));
      const freeBytes = await spaceForDownload(folder);
      const download = await downloadSnapshot({ url, etag: known?.etag, file, mayDial, clock, signal, check, maxBytes, freeBytes });
      if (download.kind === 'unchanged') return known?.problem;
      // A server that goes on offering the same is not asked for it again, whether it is good or not.
      this.#known = { etag: download.etag, problem: download.kind === 'refused' ? download.reason : undefined };
      if (download.kind === 'downloaded') await this.#takeDownload(file, download.etag, held);
      return this.#known?.problem;
    } finally {
      await rm(file, { force: true });
    }
  }

  async #takeDownload(file: string, etag: string | undefined, held: HeldConfiguration): Promise<void> {
    this.#known = undefined;
    try {
      this.#known = { etag, problem: await this.#takeFile(file, held) };
    } catch (error) {
      if (!(error instanceof SnapshotFileError)) throw error;
      this.#known = { etag, problem: error.message };
    }
  }

  /** What is older than what is in force is not fetched. Nothing of a header is certain yet, so that nothing else follows from it. */
  #requireWanted({ revision }: SnapshotHeader, held: HeldConfiguration): void {
    if (held.revision !== undefined && revision < held.revision && !this.#options.allowOlder) throw new SnapshotNotNewer();
    const reason = held.revision === revision ? undefined : held.reasonToRefuse(revision);
    if (reason !== undefined) throw new SnapshotFileError(reason);
  }

  /** What is wrong with it for good, if something is. @throws SnapshotFileError, Error for what may pass */
  async #takeFile(file: string, held: HeldConfiguration): Promise<string | undefined> {
    const { key, allowOlder, onFresh, log, place } = this.#options;
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, 'r');
      const seen = await markOf(handle);
      if (place.kind === 'file' && seen === this.#seen && held.revision !== undefined) return undefined;
      const reader = await SnapshotFileReader.open(handle, key);
      const outcome = await takeSnapshotFile(reader, held, { allowOlder });
      const { revision, createdAtMs } = reader.header;
      if (outcome.kind === 'refused' && outcome.retry) throw new Error(outcome.reason);
      if (outcome.kind === 'refused') return outcome.reason;
      if (outcome.kind === 'applied') {
        log.info('the configuration was taken from a snapshot', { snapshot: describePlace(place), revision, createdAtMs });
        onFresh?.(createdAtMs);
      } else if (held.revision === revision) {
        // Only a file that is verified to its end may say when it was made.
        for await (const _record of reader.records());
        onFresh?.(createdAtMs);
      }
      this.#seen = seen;
      return undefined;
    } finally {
      await handle?.close();
    }
  }

  /** Once per problem: a snapshot is looked for again and again. */
  #tell(problem: string): void {
    const { place, log } = this.#options;
    if (problem !== '' && problem !== this.#lastProblem) {
      log.warn('the snapshot is not taken; the configuration in force stays', { snapshot: describePlace(place), cause: problem });
    }
    this.#lastProblem = problem;
  }
}

/** Tells whether a file is still the one that it was. */
async function markOf(handle: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeMs, ctimeMs } = await handle.stat();
  return [dev, ino, size, mtimeMs, ctimeMs].join();
}
