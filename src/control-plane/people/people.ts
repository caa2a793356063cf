import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { Store } from '../../store/index.ts';
import { AccessCache } from '../access/index.ts';
import { Authenticator, PasswordCheck, PasswordHasher, SignInThrottle, UseRecorder } from '../auth/index.ts';

/** What signing in, and the operations on users, tokens and roles, share. */
export interface People {
  readonly authenticator: Authenticator;
  readonly passwords: PasswordCheck;
  readonly hasher: PasswordHasher;
  readonly throttle: SignInThrottle;
  readonly uses: UseRecorder;
  /** By which sessions, tokens and invites expire. */
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** Called after every sign-in that succeeded. */
  onSignIn(): void;
}

/** Makes it. `uses.flush()` keeps what was not written yet. */
export function openPeople(parts: {
  readonly store: Store;
  readonly clock: Clock;
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  readonly log: Logger;
  readonly onSignIn: () => void;
}): People {
  const { store, clock, expiryClock, random, log, onSignIn } = parts;
  const hasher = new PasswordHasher(random);
  const throttle = new SignInThrottle(clock);
  const passwords = new PasswordCheck({ store, clock, log, hasher, throttle });
  const uses = new UseRecorder({ store, clock, log });
  const access = new AccessCache(store);
  const authenticator = new Authenticator({ store, access, passwords, uses, expiryClock });
  return { authenticator, passwords, hasher, throttle, uses, expiryClock, random, onSignIn };
}
