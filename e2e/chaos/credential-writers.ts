import type { RunningInstance } from '../../test-support/running-instance.ts';
import type { SeededRandom } from '../../test-support/seeded-random.ts';
import type { ChaosTally } from './chaos-tally.ts';
import type { CredentialLedger, CredentialState, LedgerEntry } from './credential-ledger.ts';

const GIVE_UP_MS = 20_000;

/** What the writers of a round share. */
export interface WriterOptions {
  readonly instance: RunningInstance;
  readonly ledger: CredentialLedger;
  readonly tally: ChaosTally;
  readonly random: SeededRandom;
  /** One for each writer. */
  readonly consumers: readonly string[];
}

/** Writers at work: each creates, exchanges and revokes keys of its own consumer, one write after the other. */
export class CredentialWriters {
  readonly #options: WriterOptions;
  readonly #running: Promise<void>[];
  #stopped = false;
  /** Writes answered with success since the start. */
  acknowledged = 0;
  /** Writes that were sent, whatever came of them. */
  attempts = 0;
  /** Writes answered with anything else. */
  refused = 0;
  /** Writes answered with success of which the answer did not say that they are in force at every gateway. */
  behind = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#running = options.consumers.map((consumer) => this.#write(consumer, options.random.fork()));
  }

  /** Resolves when each has ended the write that it was at. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #write(consumer: string, random: SeededRandom): Promise<void> {
    while (!this.#stopped) {
      const entry = this.#choose(consumer, random);
      const isThere = entry.acknowledged.key !== undefined;
      const state = isThere && random.fraction() < 0.5 ? { key: undefined } : { key: random.hexadecimal() };
      if (!(await this.#send(entry, state))) await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** One whose state is certain, or a new one. */
  #choose(consumer: string, random: SeededRandom): LedgerEntry {
    const { ledger } = this.#options;
    const certain = ledger.entries.filter((entry) => entry.consumer === consumer && entry.uncertain === undefined);
    if (certain.length > 0 && random.fraction() < 0.6) return random.pick(certain);
    return ledger.add(consumer, `c${ledger.entries.length}`);
  }

  async #send(entry: LedgerEntry, state: CredentialState): Promise<boolean> {
    const { instance, ledger, tally } = this.#options;
    const path = `/apisix/admin/consumers/${entry.consumer}/credentials/${entry.id}`;
    entry.uncertain = state;
    this.attempts++;
    try {
      const asked =
        state.key === undefined
          ? instance.admin('DELETE', path)
          : instance.admin('PUT', path, { plugins: { 'key-auth': { key: state.key } } });
      const answer = await within(GIVE_UP_MS, asked);
      if (answer.status !== 200 && answer.status !== 201) {
        this.refused++;
        return false;
      }
      tally.writesAcknowledged++;
      this.acknowledged++;
      const [, applied, expected] = /^(\d+)\/(\d+)/.exec(String(answer.headers['portcullis-applied'])) ?? [];
      const isInForce = applied === expected && applied !== '0';
      if (!isInForce) this.behind++;
      ledger.acknowledge(entry, state, isInForce);
      return true;
    } catch {
      return false;
    }
  }
}

function within<Value>(limitMs: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer in time')), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
