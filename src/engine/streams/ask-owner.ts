import type { ErrorReason } from '../../errors/index.ts';
import { isThenable } from '../../lib/is-thenable.ts';
import type { StreamOwner, StreamPlan } from './stream-plan.ts';

/** Asks where a stream goes to. One of the two is called, at once or later; an owner that throws has decided nothing. */
export function askOwner(
  owner: Pick<StreamOwner, 'decide'>,
  decided: (decision: StreamPlan | ErrorReason) => void,
  failed: (error: unknown) => void,
): void {
  let decision: StreamPlan | ErrorReason | Promise<StreamPlan | ErrorReason>;
  try {
    decision = owner.decide();
  } catch (error) {
    failed(error);
    return;
  }
  if (isThenable(decision)) Promise.resolve(decision).then(decided, failed);
  else decided(decision);
}
