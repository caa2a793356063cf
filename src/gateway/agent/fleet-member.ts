import type { RuntimeChange } from '../worker/worker-messages.ts';
import type { WorkerThread } from './worker-thread.ts';

/** Checks of a heartbeat that may pass in silence: two seconds, at four a second. */
const SILENT_CHECKS = 8;
/** Checks until the first beat: a thread that loads its modules on a busy machine is not blocked. */
const BOOT_CHECKS = 120;

/** A worker thread in its fleet. */
export class FleetMember {
  readonly thread: WorkerThread;
  /** `loading`: it gets the configuration in force; `running`: it has it and takes part in every change. */
  state: 'loading' | 'running' = 'loading';
  /** Changes that were put in force while it was loading. */
  readonly backlog: RuntimeChange[] = [];
  /** Monotonic time since when it listens; 0 when it does not. */
  listeningSinceMs = 0;
  #lastBeat = 0;
  #silentChecks = 0;

  constructor(thread: WorkerThread) {
    this.thread = thread;
  }

  /** Takes what its heartbeat shows now; true when it has been silent for too long. Checks are counted, so a pause of the agent itself, or of the machine, is nobody's silence. */
  isSilent(beat: number): boolean {
    if (beat !== this.#lastBeat) {
      this.#lastBeat = beat;
      this.#silentChecks = 0;
      return false;
    }
    this.#silentChecks++;
    return this.#silentChecks >= (beat === 0 ? BOOT_CHECKS : SILENT_CHECKS);
  }
}
