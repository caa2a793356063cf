import type { SnapshotDelta } from '../schema/snapshot.ts';

/**
 * The processes of this instance that this one has replaced, for as long as they answer requests beside it: what is in force at the instance is in force in
 * them, too. No promise rejects.
 */
export interface FormerProcesses {
  /** Resolves when the change is in force in all of them, or those that could not follow have ended. Changes arrive in the order of calls. */
  follow(delta: SnapshotDelta): Promise<void>;
  /** This process is connected to a control plane now: they need no longer hold the instance's place. */
  leaveControlPlane(): void;
  /** Resolves when none of them is left. */
  readonly gone: Promise<void>;
}
