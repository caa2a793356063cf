import type { CounterScript } from './counter-scripts.ts';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
import { RedisFailure } from './redis-failure.ts';
import { runScript, type ScriptServer } from './script-server.ts';

/** What a server says that has become a replica, or is not ready: another one may be the master by now. */
const MOVED_AWAY: ReadonlySet<string | undefined> = new Set(['READONLY', 'MASTERDOWN', 'LOADING']);

/** One server, wherever `open` finds it. */
export class SingleServer implements ScriptServer {
  readonly #connection: RedisConnection;

  constructor(options: RedisConnectionOptions) {
    this.#connection = new RedisConnection(options);
  }

  async run(script: CounterScript, key: string, args: readonly string[]): Promise<readonly number[]> {
    try {
      return await runScript((command) => this.#connection.run(command), script, key, args);
    } catch (error) {
      if (error instanceof RedisFailure && MOVED_AWAY.has(error.refusal)) this.#connection.reset();
      throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }
}
