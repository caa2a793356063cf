import type { Clock } from '../lib/clock.ts';
import type { InstanceRegistry, InstanceReport, RegisteredInstance } from '../store/instance-registry.ts';

interface Kept {
  readonly report: InstanceReport;
  readonly seenAtMs: number;
}

/** The registry of a control plane that shares its store with no other: in memory, so that it begins empty with each start. */
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

  async list(groupId: string): Promise<readonly RegisteredInstance[]> {
    return [...this.#kept.values()]
      .filter(({ report }) => report.groupId === groupId)
      .map(({ report, seenAtMs }) => ({
        ...report,
        controlPlaneId: this.controlPlaneId,
        silentMs: report.isConnected ? 0 : this.#clock.monotonicMs() - seenAtMs,
      }))
      .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  async listOthers(): Promise<readonly RegisteredInstance[]> {
    return [];
  }

  async forget(silentMs: number): Promise<number> {
    const over = [...this.#kept].filter(
      ([, { report, seenAtMs }]) => !report.isConnected && this.#clock.monotonicMs() - seenAtMs >= silentMs,
    );
    for (const [key] of over) this.#kept.delete(key);
    return over.length;
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
