import type { RuntimeChange } from '../worker/worker-messages.ts';
import { inMessages } from './configuration-set.ts';
import type { PrepareOutcome, WorkerThread } from './worker-thread.ts';

/** What a round asks of a worker thread. */
export type RoundThread = Pick<WorkerThread, 'post' | 'prepare' | 'commit' | 'ended'>;

/** How a change ended that was given to several workers. */
export type RoundOutcome =
  | { readonly kind: 'committed' }
  /** One of the workers cannot serve it: it is in force on none. */
  | { readonly kind: 'refused'; readonly message: string }
  /** A worker died over it, or there was none: it is in force on none, and may be tried again. */
  | { readonly kind: 'worker-ended' };

/** What a round is made of. */
export interface ChangeRound {
  /** Different for every round of a thread's life. */
  readonly number: number;
  readonly threads: readonly RoundThread[];
  readonly changes: readonly RuntimeChange[];
  /** Longest time that compiling may take. */
  readonly prepareTimeoutMs: number;
  readonly schedule: (delayMs: number, task: () => void) => () => void;
  /** Gives other work its turn between two messages. */
  readonly yieldTurn: () => Promise<void>;
  /** Runs when every worker has compiled the change, in one step with telling them to put it in force. When it throws, none is told. */
  readonly onPrepared: () => void;
}

/**
 * Puts a change in force on several workers: all compile it aside, and only when all could is any told to swap. Resolves when the
 * last one has swapped (or died, then its successor loads what is in force); rejects with what `onPrepared` throws.
 */
export async function runChangeRound(round: ChangeRound): Promise<RoundOutcome> {
  const { threads, number } = round;
  if (threads.length === 0) return { kind: 'worker-ended' };
  for (const changes of inMessages(round.changes)) {
    for (const thread of threads) thread.post({ kind: 'changes', change: number, changes });
    await round.yieldTurn();
  }
  const outcomes = await withinTime(round, Promise.all(threads.map((thread) => thread.prepare(number))));
  const failure = firstFailure(outcomes);
  if (failure !== undefined) {
    abandon(round);
    return failure;
  }
  try {
    round.onPrepared();
  } catch (error) {
    abandon(round);
    throw error;
  }
  await Promise.all(threads.map((thread) => thread.commit(number)));
  return { kind: 'committed' };
}

function abandon({ threads, number }: ChangeRound): void {
  for (const thread of threads) if (!thread.ended) thread.post({ kind: 'abandon', change: number });
}

async function withinTime(round: ChangeRound, outcomes: Promise<readonly PrepareOutcome[]>): Promise<readonly PrepareOutcome[]> {
  let cancel = (): void => {};
  const late = new Promise<readonly PrepareOutcome[]>((resolve) => {
    cancel = round.schedule(round.prepareTimeoutMs, () =>
      resolve([{ kind: 'refused', message: `compiling it took longer than ${round.prepareTimeoutMs} ms` }]),
    );
  });
  try {
    return await Promise.race([outcomes, late]);
  } finally {
    cancel();
  }
}

function firstFailure(outcomes: readonly PrepareOutcome[]): RoundOutcome | undefined {
  for (const outcome of outcomes) if (outcome.kind === 'refused') return outcome;
  return outcomes.some((outcome) => outcome.kind === 'ended') ? { kind: 'worker-ended' } : undefined;
}
