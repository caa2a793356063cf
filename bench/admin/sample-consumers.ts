import type { JsonObject } from '../../src/lib/json.ts';

/** The user name of a consumer of the rows. */
export function consumerName(number: number): string {
  return `consumer_${number}`;
}

/** A consumer with a description that only it has, a label that a third have, and one that half have. */
export function consumerAt(number: number): JsonObject {
  return {
    username: consumerName(number),
    desc: `the application of customer ${(number * 7_919) % 100_003}`,
    labels: { team: `t${number % 3}`, stage: number % 2 === 0 ? 'test' : 'production' },
  };
}
