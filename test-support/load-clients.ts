import { once } from 'node:events';
import { connect } from 'node:net';
import { RawConnection } from './raw-client.ts';

/** What became of the requests of one kind of client. */
export interface LoadOutcome {
  /** Answered with 200. */
  answered: number;
  /** Connections on which an answer said that it is the last. */
  saidClose: number;
  /** Requests sent on a connection that had been idle and was closed in that instant: they were sent again, once. */
  sentAgain: number;
  /** Everything else, in words. */
  readonly failures: string[];
}

/** Requests that one client keeps in flight on a connection. */
const PIPELINED = 8;

/** Clients of three kinds that send requests one behind the other until they are stopped: what a restart must not disturb. */
export class LoadClients {
  readonly fresh: LoadOutcome = outcome();
  readonly kept: LoadOutcome = outcome();
  readonly pipelining: LoadOutcome = outcome();
  readonly #port: number;
  readonly #request: string;
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(port: number, path: string) {
    this.#port = port;
    this.#request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
  }

  get total(): number {
    return this.fresh.answered + this.kept.answered + this.pipelining.answered;
  }

  get failures(): readonly string[] {
    const named = { fresh: this.fresh, kept: this.kept, pipelining: this.pipelining };
    return Object.entries(named).flatMap(([name, { failures }]) => failures.map((failure) => `${name}: ${failure}`));
  }

  /** So many clients of each kind. */
  start(each: number): void {
    for (let index = 0; index < each; index++) {
      this.#running.push(this.#sendFresh(), this.#sendKept(this.kept, 1), this.#sendKept(this.pipelining, PIPELINED));
    }
  }

  /** Resolves when every client has ended what it was at. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #sendFresh(): Promise<void> {
    while (!this.#stopped) {
      const connection = await this.#connect(this.fresh);
      if (connection === undefined) continue;
      await this.#burst(connection, this.fresh, 1, false);
      connection.destroy();
    }
  }

  async #sendKept(into: LoadOutcome, atOnce: number): Promise<void> {
    let connection: RawConnection | undefined;
    let isReused = false;
    while (!this.#stopped) {
      connection ??= await this.#connect(into);
      if (connection === undefined) continue;
      const goesOn: boolean = await this.#burst(connection, into, atOnce, isReused);
      isReused = goesOn;
      if (goesOn) continue;
      connection.destroy();
      connection = undefined;
    }
    connection?.destroy();
  }

  async #connect(into: LoadOutcome): Promise<RawConnection | undefined> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    try {
      await once(socket, 'connect');
      return new RawConnection(socket);
    } catch (error) {
      into.failures.push(`connect: ${wordFor(error)}`);
      return undefined;
    }
  }

  /** Sends `count` requests at once and reads their answers; whether the connection can be used again. */
  async #burst(connection: RawConnection, into: LoadOutcome, count: number, isReused: boolean): Promise<boolean> {
    connection.send(this.#request.repeat(count));
    for (let index = 0; index < count; index++) {
      try {
        const answer = await connection.readResponse();
        if (answer.status === 200) into.answered++;
        else into.failures.push(`status ${answer.status}`);
        if (answer.header('connection') !== 'close') continue;
        into.saidClose++;
        if (index < count - 1) into.failures.push(`close with answer ${index + 1} of ${count}`);
        return false;
      } catch (error) {
        if (isReused && index === 0 && connection.unread.length === 0) into.sentAgain++;
        else into.failures.push(`answer ${index + 1} of ${count}: ${wordFor(error)}`);
        return false;
      }
    }
    return true;
  }
}

function outcome(): LoadOutcome {
  return { answered: 0, saidClose: 0, sentAgain: 0, failures: [] };
}

function wordFor(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code !== 'ERR_ASSERTION') return error.code;
  return error instanceof Error ? error.message : String(error);
}
