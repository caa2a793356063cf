import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SnapshotWriter } from '../../distribution/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { Logger } from '../../observability/index.ts';
import type { StoreReader } from '../../store/index.ts';
import { repeat } from '../repeat.ts';
import type { ExportTarget } from './export-target.ts';

/** What a schedule of exports needs. */
export interface SnapshotExporterOptions {
  readonly store: Pick<StoreReader, 'listGroups'>;
  readonly writerOf: (groupId: string) => Promise<SnapshotWriter>;
  readonly target: ExportTarget;
  readonly intervalMs: number;
  /** An unchanged group is exported again after this long, so that its snapshot does not seem old. */
  readonly refreshMs: number;
  /** Files are written here first. */
  readonly folder: string;
  /** Told of each export with the size of the file, which is undefined where it failed. Absent: nobody wants to know. */
  readonly onExported?: ((groupId: string, bytes: number | undefined) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is known of a group's exports. */
export interface ExportState {
  readonly groupId: string;
  /** Undefined as long as none has succeeded. */
  readonly revision: number | undefined;
  /** Wall clock. */
  readonly exportedAtMs: number | undefined;
  /** In a row. */
  readonly failures: number;
  readonly lastFailure: string | undefined;
}

const SPOOL_PREFIX = 'snapshot-export-';

/** Exports every group whose revision has changed, each interval. Writes never wait for it; what fails is logged and tried again. */
export class SnapshotExporter {
  readonly #options: SnapshotExporterOptions;
  readonly #states = new Map<string, ExportState>();
  #stop: () => Promise<void> = async () => undefined;

  constructor(options: SnapshotExporterOptions) {
    this.#options = options;
  }

  /** Begins at once. */
  start(): void {
    const { clock, intervalMs } = this.#options;
    let isFirst = true;
    const work = async (isStopped: () => boolean): Promise<void> => {
      if (isFirst) await this.#removeLeftovers();
      isFirst = false;
      await this.exportChanged(isStopped);
    };
    this.#stop = repeat(clock, intervalMs, work, { atOnce: true });
  }

  /** Resolves when nothing is being exported any more. */
  stop(): Promise<void> {
    return this.#stop();
  }

  /** Where it exports to, for people. */
  get description(): string {
    return this.#options.target.description;
  }

  /** One entry a group. */
  states(): readonly ExportState[] {
    return [...this.#states.values()];
  }

  /** Never rejects. */
  async exportChanged(isStopped: () => boolean = () => false): Promise<void> {
    const { store, log } = this.#options;
    try {
      const groups = await store.listGroups();
      for (const known of [...this.#states.keys()]) if (!groups.some(({ id }) => id === known)) this.#states.delete(known);
      for (const { id, revision } of groups) {
        if (isStopped()) return;
        if (revision > 0 && this.#isDue(id, revision)) await this.#export(id);
      }
    } catch (error) {
      log.error('snapshots could not be exported', {}, error);
    }
  }

  /** Of a process that died; the folder belongs to this one alone. */
  async #removeLeftovers(): Promise<void> {
    const { folder, log } = this.#options;
    try {
      const names = (await readdir(folder)).filter((name) => name.startsWith(SPOOL_PREFIX));
      for (const name of names) await rm(path.join(folder, name), { recursive: true, force: true });
    } catch (error) {
      log.warn('what is left of an export could not be removed', { cause: messageOf(error) });
    }
  }

  #isDue(groupId: string, revision: number): boolean {
    const state = this.#states.get(groupId);
    if (state?.revision !== revision || state.exportedAtMs === undefined || state.failures > 0) return true;
    return this.#options.clock.nowMs() - state.exportedAtMs >= this.#options.refreshMs;
  }

  async #export(groupId: string): Promise<void> {
    const { writerOf, target, onExported, clock, log, folder } = this.#options;
    const before = this.#states.get(groupId);
    let spool: string | undefined;
    try {
      spool = await mkdtemp(path.join(folder, SPOOL_PREFIX));
      const file = path.join(spool, 'snapshot');
      const writer = await writerOf(groupId);
      const { revision } = await writer.write(file);
      const { size } = await stat(file);
      const newestRevision = async (): Promise<number> =>
        (await this.#options.store.listGroups()).find(({ id }) => id === groupId)?.revision ?? 0;
      await target.put({ groupId, revision, file, newestRevision });
      this.#states.set(groupId, { groupId, revision, exportedAtMs: clock.nowMs(), failures: 0, lastFailure: undefined });
      onExported?.(groupId, size);
      log.info('a snapshot was exported', { groupId, revision, target: target.description });
    } catch (error) {
      const lastFailure = messageOf(error);
      const failures = (before?.failures ?? 0) + 1;
      this.#states.set(groupId, { groupId, revision: before?.revision, exportedAtMs: before?.exportedAtMs, failures, lastFailure });
      onExported?.(groupId, undefined);
      log.error('a snapshot could not be exported; it is tried again', { groupId, target: target.description, failures }, error);
    } finally {
      if (spool !== undefined) await rm(spool, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}
