import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { InstanceRegistry, InstanceReport, RegisteredInstance } from '../instance-registry.ts';
import type { Keyring } from '../keyring.ts';
import { LEASE_PLACE as PLACE } from './control-plane-leases.ts';
import { LIVING_PLANE, tellKnownKeys } from './known-keys.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import type { RevisionListener } from './revision-listener.ts';
import { inTransaction } from './run-transaction.ts';
import type { StoreFence } from './store-fence.ts';

type Run = <Result>(work: (connection: PostgresConnection) => Promise<Result>) => Promise<Result>;

interface InstanceRow {
  readonly control_plane_id: string;
  readonly is_live: boolean;
  readonly report: string;
  readonly silent_ms: number;
}

/** The registry of control planes that share a database. Nothing here waits for the write lock of the store, and nothing of it needs to survive a crash. */
export class PostgresInstanceRegistry implements InstanceRegistry {
  readonly controlPlaneId = randomUUID();
  readonly #run: Run;
  readonly #listener: RevisionListener;
  readonly #keyring: Keyring;
  readonly #fence: StoreFence;
  #isRegistered = false;
  #leaseMs = 0;

  constructor(parts: { readonly run: Run; readonly listener: RevisionListener; readonly keyring: Keyring; readonly fence: StoreFence }) {
    this.#run = parts.run;
    this.#listener = parts.listener;
    this.#keyring = parts.keyring;
    this.#fence = parts.fence;
  }

  async renew(historyId: string, leaseMs: number): ReturnType<InstanceRegistry['renew']> {
    this.#leaseMs = leaseMs;
    return this.#run(async (connection) => {
      await this.#fence.assertSame(connection);
      const before = await connection.get<{ is_over: boolean }>(
        'SELECT expires_at < clock_timestamp() AS is_over FROM control_planes WHERE id = $1',
        this.controlPlaneId,
      );
      if (before?.is_over === true) await this.#prolongOthers(connection);
      await connection.run(
        `INSERT INTO control_planes (id, history_id, place, seen_at, expires_at, host, known_keys)
           VALUES ($1, $2, ${PLACE}, clock_timestamp(), clock_timestamp() + $3::integer * interval '1 millisecond', $4, $5)
         ON CONFLICT (id) DO UPDATE
           SET history_id = excluded.history_id, place = excluded.place, seen_at = excluded.seen_at, expires_at = excluded.expires_at,
             host = excluded.host, known_keys = excluded.known_keys`,
        ...[this.controlPlaneId, historyId, leaseMs, hostname(), tellKnownKeys(this.#keyring)],
      );
      // The table is emptied by a crash of the server, and a store that was set back to a copy may not have this control plane yet.
      const wasExpired = before === undefined ? this.#isRegistered : before.is_over;
      this.#isRegistered = true;
      const others = await connection.all<{ history_id: string }>(
        `SELECT history_id FROM control_planes WHERE id <> $1 AND ${LIVING_PLANE}`,
        this.controlPlaneId,
      );
      return { histories: others.map((row) => row.history_id), wasExpired };
    });
  }

  async report(joined: readonly InstanceReport[], changed: readonly InstanceReport[]): Promise<void> {
    await this.#run(async (connection) => {
      await inTransaction(connection, 'BEGIN; SET LOCAL synchronous_commit = off', async () => {
        await this.#fence.assertSame(connection);
        if (joined.length > 0) await this.#insert(connection, joined);
        if (changed.length > 0) await this.#update(connection, changed);
        await this.#listener.announce(connection, [...new Set([...joined, ...changed].map(({ groupId }) => groupId))], 'instances');
      });
    });
  }

  list(groupId: string): Promise<readonly RegisteredInstance[]> {
    return this.#select('true', groupId);
  }

  listOthers(groupId: string): Promise<readonly RegisteredInstance[]> {
    return this.#select('known.control_plane_id <> $1', groupId);
  }

  /**
   * This one's lease has ended, as all do while nobody can renew any because the database is away: those that lived then get the time of
   * a lease to renew theirs. Otherwise their gateways would be taken for gone, and not waited for, when the database is back.
   */
  async #prolongOthers(connection: PostgresConnection): Promise<void> {
    await connection.run(
      `UPDATE control_planes AS others SET expires_at = clock_timestamp() + $2::integer * interval '1 millisecond'
       FROM control_planes AS own WHERE own.id = $1 AND others.id <> $1 AND ${livedWithOwn('others')}`,
      ...[this.controlPlaneId, this.#leaseMs],
    );
  }

  async #select(condition: string, groupId: string): Promise<readonly RegisteredInstance[]> {
    const rows = await this.#run((connection) =>
      connection.all<InstanceRow>(
        `SELECT known.control_plane_id, known.report,
           known.is_connected AND coalesce(lives.place = ${PLACE} AND (
             lives.expires_at > clock_timestamp() OR own.expires_at < clock_timestamp() AND ${livedWithOwn('lives')}), false) AS is_live,
           (extract(epoch FROM clock_timestamp() -
             greatest(known.seen_at, CASE WHEN known.is_connected THEN lives.seen_at END)) * 1000)::double precision AS silent_ms
         FROM gateway_instances AS known LEFT JOIN control_planes AS lives ON lives.id = known.control_plane_id
           LEFT JOIN control_planes AS own ON own.id = $1
         WHERE known.group_id = $3 AND ${condition} ORDER BY known.instance_id`,
        ...[this.controlPlaneId, this.#leaseMs, groupId],
      ),
    );
    return rows.map(instanceOfRow);
  }

  async forget(silentMs: number): Promise<number> {
    return this.#run(async (connection) => {
      await connection.run(
        `DELETE FROM control_planes WHERE expires_at < clock_timestamp() - $1::double precision * interval '1 millisecond'`,
        silentMs,
      );
      return connection.run(
        `DELETE FROM gateway_instances WHERE seen_at < clock_timestamp() - $1::double precision * interval '1 millisecond'`,
        silentMs,
      );
    });
  }

  watch(onHint: (groupId: string | undefined) => void): () => Promise<void> {
    return this.#listener.watch(onHint, 'instances');
  }

  async leave(): Promise<void> {
    this.#isRegistered = false;
    await this.#run(async (connection) => {
      const groups = await connection.all<{ group_id: string }>(
        `UPDATE gateway_instances SET is_connected = false, seen_at = clock_timestamp()
         WHERE control_plane_id = $1 AND is_connected RETURNING group_id`,
        this.controlPlaneId,
      );
      await connection.run('DELETE FROM control_planes WHERE id = $1', this.controlPlaneId);
      await this.#listener.announce(connection, [...new Set(groups.map((row) => row.group_id))], 'instances');
    });
  }

  async #insert(connection: PostgresConnection, reports: readonly InstanceReport[]): Promise<void> {
    await connection.run(
      `INSERT INTO gateway_instances AS known (group_id, instance_id, control_plane_id, connection_id, is_connected, report, seen_at)
         SELECT group_id, instance_id, $1, connection_id, is_connected, report, clock_timestamp() FROM ${RECORDS}
       ON CONFLICT (group_id, instance_id) DO UPDATE SET control_plane_id = excluded.control_plane_id, seen_at = excluded.seen_at,
         connection_id = excluded.connection_id, is_connected = excluded.is_connected, report = excluded.report`,
      ...[this.controlPlaneId, recordsOf(reports)],
    );
  }

  async #update(connection: PostgresConnection, reports: readonly InstanceReport[]): Promise<void> {
    const records = recordsOf(reports);
    // An instance whose other connection turned out to be gone belongs to whoever still has one.
    const updated = await connection.run(
      `UPDATE gateway_instances AS known SET control_plane_id = $1, connection_id = told.connection_id,
         is_connected = told.is_connected, report = told.report, seen_at = clock_timestamp()
       FROM ${RECORDS} WHERE known.group_id = told.group_id AND known.instance_id = told.instance_id
         AND (known.control_plane_id = $1 AND known.connection_id = told.connection_id OR NOT known.is_connected AND told.is_connected)`,
      ...[this.controlPlaneId, records],
    );
    if (updated === reports.length) return;
    // The server had not written down yet that they came when it crashed.
    await connection.run(
      `INSERT INTO gateway_instances (group_id, instance_id, control_plane_id, connection_id, is_connected, report, seen_at)
         SELECT group_id, instance_id, $1, connection_id, is_connected, report, clock_timestamp() FROM ${RECORDS} WHERE is_connected
       ON CONFLICT (group_id, instance_id) DO NOTHING`,
      ...[this.controlPlaneId, records],
    );
  }
}

/** Whether a control plane lived when the one of row `own`, `$1`, last renewed its lease, which is of `$2` milliseconds. */
const livedWithOwn = (name: string): string => `${name}.expires_at > own.expires_at - $2::integer * interval '1 millisecond'`;

const RECORDS =
  'json_to_recordset($2::json) AS told (group_id text, instance_id text, connection_id bigint, is_connected boolean, report text)';

/** In one order, so that two control planes that report the same instances never wait for each other in a circle. */
function recordsOf(reports: readonly InstanceReport[]): string {
  const records = reports.map((report) => ({
    group_id: report.groupId,
    instance_id: report.instanceId,
    connection_id: report.connectionId,
    is_connected: report.isConnected,
    report: JSON.stringify(report),
  }));
  return JSON.stringify(records.sort((a, b) => (`${a.group_id}/${a.instance_id}` < `${b.group_id}/${b.instance_id}` ? -1 : 1)));
}

function instanceOfRow(row: InstanceRow): RegisteredInstance {
  // Written by `recordsOf`, here or in another control plane of this database.
  const report: InstanceReport = JSON.parse(row.report);
  return { ...report, isConnected: row.is_live, controlPlaneId: row.control_plane_id, silentMs: Math.max(0, row.silent_ms) };
}
