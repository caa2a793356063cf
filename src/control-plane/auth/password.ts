import { hash } from '@node-rs/argon2';
import type { Random } from '../../lib/random.ts';

/** API7's limit for passwords at sign-in. */
export const MAX_PASSWORD_CHARACTERS = 128;

/** The PHC string of a password, by argon2id with the parameters of OWASP's password storage sheet: 19 MiB, 2 passes, 1 lane. */
export function hashPassword(random: Random, password: string): Promise<string> {
  // argon2id is the library's default; its enum cannot be named, for it exists in the type file only.
  return hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1, salt: random.bytes(16) });
}
