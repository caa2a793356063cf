import type { Clock } from '../lib/clock.ts';
import type { InstanceRegistry, InstanceReport, RegisteredInstance } from '../store/instance-registry.ts';

interface Kept {
  readonly report: InstanceReport;
  readonly seenAtMs: number;
}

/** The registry of a control plane that shares its store with no other. */
export class MemoryInstanceRegistry implements InstanceRegistry {
  readonly controlPlaneId = 'this';
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  async renew(): ReturnType<InstanceRegistry['renew']> {
    return { histories: [], wasExpired: false };
  }

  async report(joined: readonly InstanceReport[], changed: readonly InstanceReport[]): Promise<void> {
    const seenAtMs = this.#clock.monotonicMs();
    for (const report of joined) this.#kept.set(keyOf(report), { report, seenAtMs });
    for (const report of changed) {
      const known = this.#kept.get(keyOf(report));
      if (known?.report.connectionId === report.connectionId) this.#kept.set(keyOf(report), { report, seenAtMs });
    }
  }

  /** One that an earlier start has seen, and this one has not. */
  recall(report: InstanceReport, silentMs: number): void {
    // No connection has this number.
    const known: InstanceReport = { ...report, connectionId: 0, isConnected: false, isAwaited: false };
    this.#kept.set(keyOf(report), { report: known, seenAtMs: this.#clock.monotonicMs() - silentMs });
  }

  /** All that are known, of all groups. */
  all(): readonly (Pick<RegisteredInstance, 'silentMs'> & { readonly report: InstanceReport })[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#kept.values()].map(({ report, seenAtMs }) => ({ report, silentMs: report.isConnected ? 0 : nowMs - seenAtMs }));
  }

  async list(groupId: string): Promise<readonly RegisteredInstance[]> {
    return this.all()
      .filter(({ report }) => report.groupId === groupId)
      .map(({ report, silentMs }) => ({ ...report, controlPlaneId: this.controlPlaneId, silentMs }))
      .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  async listOthers(): Promise<readonly RegisteredInstance[]> {
    return [];
  }

  async forget(silentMs: number): Promise<number> {
    return this.forgetSilent(silentMs).length;
  }

  /** As `forget`; returns what was forgotten. */
  forgetSilent(silentMs: number): readonly InstanceReport[] {
    const over = this.all().filter((known) => !known.report.isConnected && known.silentMs >= silentMs);
    for (const { report } of over) this.#kept.delete(keyOf(report));
    return over.map(({ report }) => report);
  }

  watch(): () => Promise<void> {
    return async () => undefined;
  }

  async leave(): Promise<void> {
    this.#kept.clear();
  }
}

function keyOf({ groupId, instanceId }: InstanceReport): string {
  return JSON.stringify([groupId, instanceId]);
}
