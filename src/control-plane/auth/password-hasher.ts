import { hash, verify } from '@node-rs/argon2';
import { PortcullisError } from '../../errors/index.ts';
import { addressGroup } from '../../lib/address-group.ts';
import { FairQueue } from '../../lib/fair-queue.ts';
import type { Random } from '../../lib/random.ts';

/** API7's limit for passwords at sign-in. */
export const MAX_PASSWORD_CHARACTERS = 128;

/** How many hashes run at once: each takes a core for 20 ms and 19 MiB. */
const MAX_RUNNING = 2;
/** How many may wait for that; more are told to come back. */
const MAX_WAITING = 64;

/** The PHC string of a password, by argon2id with the parameters of OWASP's password storage sheet: 19 MiB, 2 passes, 1 lane. */
export function hashPassword(random: Random, password: string): Promise<string> {
  // argon2id is the library's default; its enum cannot be named, for it exists in the type file only.
  return hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1, salt: random.bytes(16) });
}

/**
 * Makes and checks password hashes, at most two at once, so that signing in cannot keep the machine from its work. A user who does not
 * exist, or has no password, costs as much as a wrong password.
 *
 * Addresses take turns: whoever tries a thousand passwords at once waits for himself, and others wait for one of his.
 */
export class PasswordHasher {
  readonly #random: Random;
  readonly #decoy: Promise<string>;
  readonly #waiting = new FairQueue(MAX_WAITING);
  #running = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#decoy = hashPassword(random, random.bytes(16).toString('hex'));
    // Whoever uses it is told.
    this.#decoy.catch(() => undefined);
  }

  /** For a client at this address. @throws PortcullisError 429 when too many wait already */
  hash(address: string, password: string): Promise<string> {
    return this.#run(address, () => hashPassword(this.#random, password));
  }

  /**
   * Whether the password belongs to the hash; never for a user without one (undefined, or empty). `before` is called when its turn has
   * come, and may refuse by throwing.
   *
   * @throws PortcullisError 429 when too many wait already
   */
  verify(address: string, passwordHash: string | undefined, password: string, before: () => void = () => undefined): Promise<boolean> {
    const isUsable = passwordHash !== undefined && passwordHash !== '';
    return this.#run(address, async () => {
      before();
      const matches = await verify(isUsable ? passwordHash : await this.#decoy, password);
      return isUsable && matches;
    });
  }

  async #run<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#running < MAX_RUNNING) this.#running += 1;
    else await this.#waiting.turn(addressGroup(address), tooMany);
    try {
      return await work();
    } finally {
      // The place is handed on.
      if (!this.#waiting.next()) this.#running -= 1;
    }
  }
}

function tooMany(): PortcullisError {
  return new PortcullisError('admin_sign_in_too_often', { publicMessage: 'too many sign-ins at once: try again', retryAfterSeconds: 1 });
}
