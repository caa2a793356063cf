import { randomBytes } from 'node:crypto';

/** Randomness as a value that is passed in, so that tests can repeat a run. */
export interface Random {
  /** `length` bytes fit for keys and tokens. */
  bytes(length: number): Buffer;
}

/** The operating system's cryptographic random source. */
export const systemRandom: Random = { bytes: (length) => randomBytes(length) };

/** A number from 0 to below 1, for spreading many machines over a time. */
export function randomFraction(random: Random): number {
  return random.bytes(4).readUInt32BE() / 2 ** 32;
}
