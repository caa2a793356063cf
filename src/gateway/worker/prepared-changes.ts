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
  readonly #abandoned = new Set<number>();

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
    try {
      const prepared = await this.#runtime.prepare(changes);
      if (this.#abandoned.delete(change)) this.#runtime.abandon(prepared);
      else this.#prepared.set(change, prepared);
      return undefined;
    } catch (error) {
      this.#abandoned.delete(change);
      return failureText(error);
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
    const prepared = this.#prepared.get(change);
    if (prepared === undefined) {
      this.#abandoned.add(change);
      return;
    }
    this.#prepared.delete(change);
    this.#runtime.abandon(prepared);
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
