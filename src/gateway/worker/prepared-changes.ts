import { messageOf } from '../../lib/message-of.ts';
import type { PreparedChange, Runtime } from '../runtime/index.ts';
import type { RuntimeChange } from './worker-messages.ts';

/**
 * Changes on their way from the agent to the runtime: collected part by part, compiled aside, put in force or dropped. The agent
 * has one change under way at a time.
 */
export class PreparedChanges {
  readonly #runtime: Runtime;
  readonly #collected = new Map<number, RuntimeChange[]>();
  readonly #prepared = new Map<number, PreparedChange>();
  /** Changes that are being compiled; false once they have been abandoned meanwhile. */
  readonly #wanted = new Map<number, boolean>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  collect(change: number, changes: readonly RuntimeChange[]): void {
    const collected = this.#collected.get(change);
    if (collected === undefined) this.#collected.set(change, [...changes]);
    else collected.push(...changes);
  }

  /** Compiles a change; the text says why it cannot be served. */
  async prepare(change: number): Promise<string | undefined> {
    const changes = this.#collected.get(change) ?? [];
    this.#collected.delete(change);
    this.#wanted.set(change, true);
    try {
      const prepared = await this.#runtime.prepare(changes);
      if (this.#wanted.get(change) === true) this.#prepared.set(change, prepared);
      else this.#runtime.abandon(prepared);
      return undefined;
    } catch (error) {
      return failureText(error);
    } finally {
      this.#wanted.delete(change);
    }
  }

  commit(change: number): void {
    const prepared = this.#prepared.get(change);
    if (prepared === undefined) throw new Error(`change ${change} was committed without being prepared`);
    this.#prepared.delete(change);
    this.#runtime.commit(prepared);
  }

  /** Drops a change; one that is still being compiled is dropped when it is done. */
  abandon(change: number): void {
    this.#collected.delete(change);
    if (this.#wanted.has(change)) this.#wanted.set(change, false);
    const prepared = this.#prepared.get(change);
    this.#prepared.delete(change);
    if (prepared !== undefined) this.#runtime.abandon(prepared);
  }
}

/** The message with those of its causes, which name the plugin and the field. */
function failureText(error: unknown): string {
  const texts: string[] = [];
  for (let current: unknown = error; current instanceof Error && texts.length < 4; current = current.cause) {
    if (!texts.some((text) => text.includes(messageOf(current)))) texts.push(messageOf(current));
  }
  return texts.length === 0 ? String(error) : texts.join(': ');
}
