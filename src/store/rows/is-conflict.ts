import { RevisionConflict, SharedConflict, UniqueConflict } from '../store.ts';

/** Whether a write was refused before it wrote anything, so that its transaction may go on. */
export function isConflict(error: unknown): boolean {
  return error instanceof UniqueConflict || error instanceof SharedConflict || error instanceof RevisionConflict;
}
