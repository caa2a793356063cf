import { PostgresFailure } from './postgres-failure.ts';

/** What PostgreSQL says of every statement after one that failed. */
const IN_FAILED_TRANSACTION = '25P02';

type Results<Work extends readonly unknown[]> = { -readonly [Place in keyof Work]: Awaited<Work[Place]> };

/**
 * The results of statements that were sent together, in one round trip. Unlike `Promise.all` it waits for all of them when one fails: what
 * would go on afterwards would go on in no transaction.
 *
 * @throws the failure that came first, not those that followed from it
 */
export async function allSettled<const Work extends readonly unknown[]>(work: Work): Promise<Results<Work>> {
  const outcomes = await Promise.allSettled(work);
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }): unknown => reason);
  if (failures.length > 0) throw failures.find((failure) => !isConsequence(failure)) ?? failures[0];
  // Nothing was rejected, so that these are the results of all, in their places.
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined)) as Results<Work>;
}

function isConsequence(failure: unknown): boolean {
  return failure instanceof PostgresFailure && failure.code === IN_FAILED_TRANSACTION;
}
