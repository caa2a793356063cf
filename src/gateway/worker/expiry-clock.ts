import type { Clock } from '../../lib/clock.ts';
import type { MachineTime } from '../counters/index.ts';
import type { WorkerBoard } from './worker-board.ts';

/**
 * Wall-clock time by which things expire, the same on all workers: the later one of the machine's clock and of what the agent has seen, which goes on
 * with the monotonic clock, so that it does not run backwards when the machine's clock is set back.
 */
export class ExpiryClock implements Pick<Clock, 'nowMs'> {
  readonly #clock: Clock;
  readonly #board: Pick<WorkerBoard, 'expiryOffsetMs'>;
  readonly #machineMs: MachineTime;

  constructor(options: { readonly clock: Clock; readonly board: Pick<WorkerBoard, 'expiryOffsetMs'>; readonly machineMs: MachineTime }) {
    this.#clock = options.clock;
    this.#board = options.board;
    this.#machineMs = options.machineMs;
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    return Math.max(this.#clock.nowMs(), this.#board.expiryOffsetMs + this.#machineMs());
  }
}
