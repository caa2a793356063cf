import type { FrameConnection } from './frame-connection.ts';
import type { UsageKept, UsageReport } from './usage-report.ts';

/** One connection to a control plane, as the way that usage takes: never the same one after the connection broke. */
export interface UsageLink {
  /** The control plane tells what it has written. One of before never does. */
  readonly acknowledges: boolean;
  /** The last report of those that were sent here that is written, and all before it; 0 for none. */
  readonly kept: number;
  /** Sends a report; false where nobody takes it now. Whether it arrives is not known. */
  send(report: UsageReport): boolean;
}

/** The gateway's end of a sync connection, for usage. What the control plane says of reports that were never sent here counts for nothing. */
export class ConnectionUsageLink implements UsageLink {
  readonly #connection: Pick<FrameConnection, 'send' | 'isClosed' | 'isCongested'>;
  #acknowledges = false;
  #epoch = '';
  #sent = 0;
  #kept = 0;

  constructor(connection: Pick<FrameConnection, 'send' | 'isClosed' | 'isCongested'>) {
    this.#connection = connection;
  }

  get acknowledges(): boolean {
    return this.#acknowledges;
  }

  get kept(): number {
    return this.#kept;
  }

  send(report: UsageReport): boolean {
    if (this.#connection.isClosed || this.#connection.isCongested) return false;
    this.#connection.send({ kind: 'usage', ...report });
    this.#epoch = report.epoch;
    this.#sent = report.sequence;
    return true;
  }

  noteWelcome(acknowledges: boolean): void {
    this.#acknowledges = acknowledges;
  }

  noteKept({ epoch, sequence }: UsageKept): void {
    if (epoch === this.#epoch && sequence <= this.#sent) this.#kept = Math.max(this.#kept, sequence);
  }
}
