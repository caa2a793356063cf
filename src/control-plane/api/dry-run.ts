import type { Author, Store, StoreTransaction } from '../../store/index.ts';

/** Ends a transaction that is only tried. */
class Tried<Result> extends Error {
  readonly result: Result;

  constructor(result: Result) {
    super('a dry run stores nothing');
    this.result = result;
  }
}

/** What the answer to a trial has besides. */
export const TRIED = { dry_run: true } as const;

/** Does the work in a transaction and, when it is a dry run, stores nothing of it: the answer is exactly what the work would come to. */
export async function transactOrTry<Result>(
  store: Pick<Store, 'transaction'>,
  author: Author,
  isDryRun: boolean,
  work: (transaction: StoreTransaction) => Promise<Result>,
): Promise<Result> {
  if (!isDryRun) return store.transaction(author, work);
  try {
    return await store.transaction<Result>(author, async (transaction) => {
      throw new Tried(await work(transaction));
    });
  } catch (error) {
    // Thrown above and nowhere else, so the result has this type.
    if (error instanceof Tried) return error.result as Result;
    throw error;
  }
}
