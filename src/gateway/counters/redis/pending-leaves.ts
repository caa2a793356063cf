import type { CancelTask, Clock } from '../../../lib/clock.ts';
import { LEAVE } from './counter-scripts.ts';
import type { ScriptServer } from './script-server.ts';

/** Beyond that the oldest are forgotten: the server does so too when their lifetime is over. */
const MAX_PENDING = 10_000;
const RETRY_MS = 1000;
const AT_ONCE = 64;

/** Takes entries out of a server that may not answer at the moment: what could not be told is told again. */
export class PendingLeaves {
  readonly #server: ScriptServer;
  readonly #clock: Clock;
  /** Name of an entry → key of its counter. */
  readonly #pending = new Map<string, string>();
  readonly #running = new Set<Promise<void>>();
  #cancelRetry: CancelTask | undefined;
  #isClosed = false;

  constructor(server: ScriptServer, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  /** Never throws and never waits. */
  leave(key: string, name: string): void {
    const told = this.#tell(key, name).finally(() => this.#running.delete(told));
    this.#running.add(told);
  }

  /** How many could not be told yet. */
  get size(): number {
    return this.#pending.size;
  }

  /** Waits for what is being told; what could not be told is forgotten. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    await Promise.all(this.#running);
    this.#pending.clear();
  }

  async #tell(key: string, name: string): Promise<void> {
    try {
      await this.#server.run(LEAVE, key, [name]);
      this.#pending.delete(name);
    } catch {
      this.#keep(key, name);
    }
  }

  #keep(key: string, name: string): void {
    if (this.#isClosed) return;
    this.#pending.set(name, key);
    if (this.#pending.size > MAX_PENDING)
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest);
        break;
      }
    this.#cancelRetry ??= this.#clock.schedule(RETRY_MS, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    const batch = [...this.#pending].slice(0, AT_ONCE);
    await Promise.all(batch.map(([name, key]) => this.#tell(key, name)));
    this.#cancelRetry = undefined;
    if (this.#pending.size === 0 || this.#isClosed) return;
    // As long as the server answers there is no reason to wait.
    const delayMs = batch.some(([name]) => this.#pending.has(name)) ? RETRY_MS : 0;
    this.#cancelRetry = this.#clock.schedule(delayMs, () => void this.#retry());
  }
}
