import type { UsageLink, UsageReport } from '../../../distribution/gateway-side.ts';

/** A connection of which a test says what becomes of it. */
export class TestLink implements UsageLink {
  readonly acknowledges: boolean;
  readonly sent: UsageReport[] = [];
  takes = true;
  kept = 0;

  constructor(acknowledges = true) {
    this.acknowledges = acknowledges;
  }

  send(report: UsageReport): boolean {
    if (this.takes) this.sent.push(report);
    return this.takes;
  }

  /** All that was sent is written. */
  keepAll(): void {
    this.kept = this.sent.at(-1)?.sequence ?? 0;
  }

  /** Requests of each message. */
  get requests(): readonly number[] {
    return this.sent.map(({ entries }) => entries.reduce((sum, [, , , , requests]) => sum + requests, 0));
  }
}
