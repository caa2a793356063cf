import type { InstanceMemory, InstanceReport, RememberedInstance } from '../instance-registry.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** By which way instances are read and written. */
interface Parts {
  readonly read: <Result>(work: (database: SqliteDatabase) => Result) => Promise<Result>;
  /** A transaction of its own. */
  readonly write: <Result>(work: (database: SqliteDatabase) => Result) => Promise<Result>;
}

/** The instances that the embedded store remembers. */
export class SqliteInstances implements InstanceMemory {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  load(): Promise<readonly RememberedInstance[]> {
    return this.#parts.read((database) =>
      database.all<{ report: string; seen_at: number }>('SELECT report, seen_at FROM gateway_instances').map((row) => {
        // Written by `keep`.
        const report: InstanceReport = JSON.parse(row.report);
        return { report, seenAtMs: row.seen_at };
      }),
    );
  }

  keep(instances: readonly RememberedInstance[]): Promise<void> {
    return this.#parts.write((database) => {
      for (const { report, seenAtMs } of instances) {
        database.run(
          `INSERT INTO gateway_instances (group_id, instance_id, report, seen_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (group_id, instance_id) DO UPDATE SET report = excluded.report, seen_at = excluded.seen_at`,
          ...[report.groupId, report.instanceId, JSON.stringify(report), Math.floor(seenAtMs)],
        );
      }
    });
  }

  forget(instances: readonly Pick<InstanceReport, 'groupId' | 'instanceId'>[]): Promise<void> {
    return this.#parts.write((database) => {
      for (const { groupId, instanceId } of instances)
        database.run('DELETE FROM gateway_instances WHERE group_id = ? AND instance_id = ?', groupId, instanceId);
    });
  }
}
