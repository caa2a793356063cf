import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import type { Author, Store } from '../../store/index.ts';
import { SESSION_KIND } from './sessions.ts';

const SYSTEM: Author = { id: 'system', name: 'system' };
/** Uses are gathered for so long and written in one transaction. */
const GATHER_MS = 10_000;
/** A token's use is written again when the last one that was written is older. */
const TOKEN_INTERVAL_SECONDS = 60;
/** More are not gathered: what is lost is a time that is a minute old. */
const MAX_GATHERED = 10_000;

/**
 * Keeps when tokens were last used, and moves the expiry of sessions, without a write a request: at most one transaction every ten
 * seconds, and in it each token at most once a minute. A failure is logged and forgotten.
 */
export class UseRecorder {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  #tokens = new Map<string, number>();
  #sessions = new Map<string, number>();
  readonly #written = new Map<string, number>();
  #cancel: CancelTask | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: { readonly store: Store; readonly clock: Clock; readonly log: Logger }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** A token was used now; `lastUsedAt` is what the store knows. Times are Unix seconds. */
  tokenUsed(id: string, lastUsedAt: number | undefined, now: number): void {
    const known = Math.max(lastUsedAt ?? 0, this.#written.get(id) ?? 0);
    if (now - known < TOKEN_INTERVAL_SECONDS || this.#tokens.size >= MAX_GATHERED) return;
    this.#tokens.set(id, now);
    this.#schedule();
  }

  /** A session goes on until this time (Unix seconds) at least. */
  sessionUsed(id: string, expiresAt: number): void {
    if (this.#sessions.size >= MAX_GATHERED) return;
    this.#sessions.set(id, expiresAt);
    this.#schedule();
  }

  /** Writes what was gathered. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const tokens = this.#tokens;
    const sessions = this.#sessions;
    this.#tokens = new Map();
    this.#sessions = new Map();
    if (this.#written.size > MAX_GATHERED) this.#written.clear();
    for (const [id, at] of tokens) this.#written.set(id, at);
    if (tokens.size + sessions.size > 0) this.#writing = this.#writing.then(() => this.#write(tokens, sessions));
    await this.#writing;
  }

  #schedule(): void {
    this.#cancel ??= this.#clock.schedule(GATHER_MS, () => void this.flush());
  }

  async #write(tokens: ReadonlyMap<string, number>, sessions: ReadonlyMap<string, number>): Promise<void> {
    try {
      await this.#store.transaction(SYSTEM, async (transaction) => {
        for (const [id, at] of tokens) await transaction.recordTokenUse(id, at);
        for (const [id, expiresAt] of sessions) await transaction.moveRecordExpiry(SESSION_KIND, id, expiresAt);
      });
    } catch (error) {
      this.#log.error('the last use of tokens and sessions could not be kept', {}, error);
    }
  }
}
