import { statusFor } from '../../test-support/ask-gateway.ts';
import type { SeededRandom } from '../../test-support/seeded-random.ts';
import type { ChaosTally } from './chaos-tally.ts';
import type { CredentialLedger } from './credential-ledger.ts';
import { GUARDED_PATH } from './guarded-route.ts';

/** Requests of a client that goes on while things are killed: what was revoked is never let in; without a key nobody is. */
export class SettledKeysProbe {
  readonly #running: Promise<void>;
  #stopped = false;
  /** Requests without an answer, by how that was seen. */
  readonly unanswered: string[] = [];

  constructor(options: {
    readonly port: number;
    readonly ledger: CredentialLedger;
    readonly tally: ChaosTally;
    readonly random: SeededRandom;
    /** A key that nobody writes. */
    readonly steadyKey: string;
  }) {
    this.#running = this.#run(options);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run({ port, ledger, tally, random, steadyKey }: ConstructorParameters<typeof SettledKeysProbe>[0]): Promise<void> {
    while (!this.#stopped) {
      const revoked = ledger.outOfForce;
      const asksRevoked = revoked.length > 0 && random.fraction() < 0.5;
      // The newest are those that a torn journal would bring back.
      const key = asksRevoked ? random.pick(revoked.slice(-50)) : steadyKey;
      const status = await statusFor({ port, path: GUARDED_PATH, key });
      tally.requests++;
      if (typeof status === 'string') this.unanswered.push(status);
      else if (status !== (asksRevoked ? 401 : 200))
        tally.requestFailed(`a ${asksRevoked ? 'revoked' : 'valid'} key was answered ${status}`);
    }
  }
}
