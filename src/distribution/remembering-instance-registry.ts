import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/message-of.ts';
import type { Logger } from '../observability/logger.ts';
import type {
  InstanceMemory,
  InstanceRegistry,
  InstanceReport,
  RegisteredInstance,
  RememberedInstance,
} from '../store/instance-registry.ts';
import { MemoryInstanceRegistry } from './memory-instance-registry.ts';

/** What has changed is written down after so many renewals of the lease, which are two seconds apart; who comes for the first time, at once. */
const RENEWALS_PER_WRITE = 8;
/** That an instance is still connected is written down this often: how exact the time is after a control plane was killed. */
const SEEN_INTERVAL_MS = 60_000;
/** In one transaction, which nobody can write beside. */
const MOST_PER_WRITE = 500;

interface RememberingOptions {
  readonly memory: InstanceMemory;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly log: Logger;
}

/**
 * The registry of a control plane that shares its store with no other, and whose store remembers instances: those that an earlier start has seen are known,
 * and not connected. Nobody waits for what is written down, and what cannot be is tried again.
 */
export class RememberingInstanceRegistry implements InstanceRegistry {
  readonly controlPlaneId: string;
  readonly #known: MemoryInstanceRegistry;
  readonly #options: RememberingOptions;
  /** What was written down last of each, and when. */
  readonly #written = new Map<string, { readonly text: string; readonly atMs: number }>();
  #writing: Promise<void> = Promise.resolve();
  #renewals = 0;

  private constructor(options: RememberingOptions) {
    this.#options = options;
    this.#known = new MemoryInstanceRegistry(options.clock);
    this.controlPlaneId = this.#known.controlPlaneId;
  }

  static async open(options: RememberingOptions): Promise<RememberingInstanceRegistry> {
    const registry = new RememberingInstanceRegistry(options);
    for (const { report, seenAtMs } of await options.memory.load()) {
      registry.#known.recall(report, Math.max(0, options.clock.nowMs() - seenAtMs));
      registry.#written.set(keyOf(report), { text: JSON.stringify(report), atMs: options.clock.monotonicMs() });
    }
    return registry;
  }

  // Not waited for: it may be called in a transaction, after which alone anything else is written.
  async renew(): ReturnType<InstanceRegistry['renew']> {
    this.#renewals += 1;
    if (this.#renewals % RENEWALS_PER_WRITE === 0) this.#write();
    return this.#known.renew();
  }

  async report(joined: readonly InstanceReport[], changed: readonly InstanceReport[]): Promise<void> {
    await this.#known.report(joined, changed);
    if (joined.some((report) => !this.#written.has(keyOf(report)))) this.#write();
  }

  list(groupId: string): Promise<readonly RegisteredInstance[]> {
    return this.#known.list(groupId);
  }

  listOthers(): Promise<readonly RegisteredInstance[]> {
    return this.#known.listOthers();
  }

  async forget(silentMs: number): Promise<number> {
    const forgotten = this.#known.forgetSilent(silentMs);
    for (const report of forgotten) this.#written.delete(keyOf(report));
    if (forgotten.length > 0) await this.#afterWriting(() => this.#options.memory.forget(forgotten));
    return forgotten.length;
  }

  watch(): () => Promise<void> {
    return this.#known.watch();
  }

  async leave(): Promise<void> {
    this.#write(false);
    await this.#writing;
    await this.#known.leave();
  }

  /** One write after the other. */
  #afterWriting(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  #write(isConnected = true): void {
    void this.#afterWriting(() => this.#writeDue(isConnected)).catch((error: unknown) =>
      this.#options.log.warn('which gateway instances there are could not be written down; it is tried again', { cause: messageOf(error) }),
    );
  }

  async #writeDue(isConnected: boolean): Promise<void> {
    const { memory, clock } = this.#options;
    const due: (RememberedInstance & { readonly text: string })[] = [];
    const atMs = clock.monotonicMs();
    for (const { report: last, silentMs } of this.#known.all()) {
      const report = isConnected ? last : { ...last, isConnected: false };
      const text = JSON.stringify(report);
      const written = this.#written.get(keyOf(report));
      const isSeen = last.isConnected && written !== undefined && atMs - written.atMs >= SEEN_INTERVAL_MS;
      if (written?.text !== text || isSeen) due.push({ report, text, seenAtMs: clock.nowMs() - silentMs });
    }
    for (let start = 0; start < due.length; start += MOST_PER_WRITE) {
      const part = due.slice(start, start + MOST_PER_WRITE);
      await memory.keep(part);
      for (const { report, text } of part) this.#written.set(keyOf(report), { text, atMs });
    }
  }
}

function keyOf({ groupId, instanceId }: InstanceReport): string {
  return JSON.stringify([groupId, instanceId]);
}
