import { X509Certificate } from 'node:crypto';
import type { Enrollment, PublisherEvents } from '../../distribution/index.ts';
import { MetricRegistry } from '../../observability/index.ts';
import type { ConnectionUse } from '../../store/index.ts';
import { INSTANCE_STATUSES } from '../instance-status.ts';
import type { ExportState } from '../snapshot-export/index.ts';
import type { Inventory } from './inventory.ts';

/** Where the numbers come from that are read when somebody asks. */
export interface MetricSources {
  readonly inventory: () => Inventory;
  readonly connections: (() => ConnectionUse) | undefined;
  /** One entry a group that has ever been exported, or was to be. */
  readonly exports: () => readonly ExportState[];
  /** PEM, by what it is for. */
  readonly certificates: () => readonly (readonly [use: string, certificate: string])[];
  readonly wallMs: () => number;
}

const ACKNOWLEDGED_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const ANSWERED_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Others are counted as `other`: anybody can make up a method. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** What a control plane counts while it runs, and what it tells of itself. */
export class ControlPlaneMetrics {
  readonly registry = new MetricRegistry();
  readonly #answers = this.registry.counter({
    name: 'admin_requests_total',
    help: 'Answers of the Admin API',
    labels: ['method', 'code'],
  });
  readonly #answerSeconds = this.registry.histogram(
    { name: 'admin_request_seconds', help: 'Time that answers of the Admin API took', labels: ['method'] },
    ANSWERED_SECONDS,
  );
  readonly #acknowledged = this.registry.histogram(
    { name: 'acknowledgement_seconds', help: 'Time from sending a change to a gateway until it was in force there' },
    ACKNOWLEDGED_SECONDS,
  );
  readonly #refused = this.registry.counter({ name: 'refused_revisions_total', help: 'Revisions that a gateway could not put in force' });
  readonly #snapshots = this.registry.counter({ name: 'sent_snapshots_total', help: 'Snapshots sent to gateways', labels: ['group'] });
  readonly #snapshotBytes = this.registry.counter({
    name: 'sent_snapshot_bytes_total',
    help: 'Bytes of snapshots sent to gateways',
    labels: ['group'],
  });
  readonly #compared = this.registry.counter({
    name: 'state_comparisons_total',
    help: 'Comparisons of what a gateway holds with what it should hold',
    labels: ['outcome'],
  });
  readonly #exported = this.registry.counter({ name: 'snapshot_exports_total', help: 'Exports of snapshots', labels: ['outcome'] });
  readonly #certificates = this.registry.counter({
    name: 'certificate_requests_total',
    help: 'Requests of gateways for certificates',
    labels: ['kind', 'outcome'],
  });
  readonly #lastSizes = new Map<string, number>();

  /** To be told by the publisher. */
  readonly events: PublisherEvents = {
    onAcknowledged: (latencyMs) => this.#acknowledged([], latencyMs / 1000),
    onRefused: () => this.#refused([]),
    onSnapshotSent: (groupId, bytes) => {
      this.#snapshots([groupId]);
      this.#snapshotBytes([groupId], bytes);
    },
    onCompared: (outcome) => this.#compared([outcome]),
  };

  /** To be told by the Admin API. */
  readonly onAnswered = (method: string, status: number, durationMs: number): void => {
    const known = METHODS.has(method) ? method : 'other';
    this.#answers([known, String(status)]);
    this.#answerSeconds([known], durationMs / 1000);
  };

  /** To be told of exports, with the size of the file. */
  readonly onExported = (groupId: string, bytes: number | undefined): void => {
    this.#exported([bytes === undefined ? 'failure' : 'success']);
    if (bytes !== undefined) this.#lastSizes.set(groupId, bytes);
  };

  /** The same enrollment, counted. */
  counted(enrollment: Enrollment): Enrollment {
    const count = async <Result>(kind: string, granted: Promise<Result>): Promise<Result> => {
      try {
        const result = await granted;
        this.#certificates([kind, 'granted']);
        return result;
      } catch (error) {
        this.#certificates([kind, 'refused']);
        throw error;
      }
    };
    return {
      join: (request, address) => count('join', enrollment.join(request, address)),
      renew: (request, instance, address) => count('renew', enrollment.renew(request, instance, address)),
    };
  }

  /** Adds what is read when somebody asks. To be called once. */
  watch(sources: MetricSources): void {
    this.#watchStore(sources);
    this.#watchExports(sources);
    const { registry } = this;
    registry.gauge({ name: 'certificate_expiry_seconds', help: 'When a certificate ends, in seconds since 1970', labels: ['use'] }, () =>
      sources.certificates().map(([use, pem]) => ({ labels: [use], value: new X509Certificate(pem).validToDate.getTime() / 1000 })),
    );
    registry.gauge({ name: 'process_resident_memory_bytes', help: 'Memory that the process has' }, () => one(process.memoryUsage.rss()));
    registry.gauge(
      { name: 'process_cpu_seconds_total', help: 'Time of processors that the process has used' },
      () => {
        const { user, system } = process.cpuUsage();
        return one((user + system) / 1e6);
      },
      'counter',
    );
  }

  #watchStore({ inventory, connections }: MetricSources): void {
    const { registry } = this;
    registry.gauge({ name: 'group_revision', help: 'The newest revision of a gateway group', labels: ['group'] }, () =>
      inventory().groups.map(({ groupId, revision }) => ({ labels: [groupId], value: revision })),
    );
    registry.gauge({ name: 'instances', help: 'Gateways of a group, by state', labels: ['group', 'status'] }, () =>
      inventory().groups.flatMap(({ groupId, instances }) =>
        INSTANCE_STATUSES.map((status) => ({ labels: [groupId, status], value: instances.get(status) ?? 0 })),
      ),
    );
    registry.gauge({ name: 'store_reachable', help: 'Whether the store answered when it was last asked' }, () =>
      one(inventory().isReachable ? 1 : 0),
    );
    registry.gauge({ name: 'store_read_seconds', help: 'Time of a small question to the store, when it was last asked' }, () =>
      one(inventory().readMs / 1000),
    );
    registry.gauge({ name: 'store_failures_total', help: 'Such questions that failed' }, () => one(inventory().failures), 'counter');
    registry.gauge({ name: 'audit_entries_total', help: 'Number of the last entry of the audit log' }, () => {
      const { auditHead } = inventory();
      return auditHead === undefined || typeof auditHead === 'string' ? [] : one(auditHead.number);
    });
    registry.gauge({ name: 'audit_chain_end_known', help: 'Whether the end of the audit chain is there and can be opened' }, () => {
      const { auditHead } = inventory();
      return auditHead === undefined ? [] : one(typeof auditHead === 'string' ? 0 : 1);
    });
    registry.gauge(
      { name: 'keyring_lacks_key', help: 'Whether the keyring lacks the key that the end of the audit chain is encrypted with' },
      () => {
        const { lacksKey } = inventory();
        return lacksKey === undefined ? [] : one(lacksKey ? 1 : 0);
      },
    );
    if (connections === undefined) return;
    registry.gauge(
      { name: 'store_connections', help: 'Connections to the database, and callers that wait for one', labels: ['state'] },
      () => {
        const { open, idle, waiting, most } = connections();
        return Object.entries({ busy: open - idle, idle, waiting, most }).map(([state, value]) => ({ labels: [state], value }));
      },
    );
  }

  #watchExports({ exports, wallMs }: MetricSources): void {
    const { registry } = this;
    registry.gauge({ name: 'snapshot_export_age_seconds', help: 'Time since a group was last exported', labels: ['group'] }, () =>
      exports().flatMap(({ groupId, exportedAtMs }) =>
        exportedAtMs === undefined ? [] : [{ labels: [groupId], value: Math.max(0, wallMs() - exportedAtMs) / 1000 }],
      ),
    );
    registry.gauge(
      { name: 'snapshot_export_failures', help: 'Exports of a group that failed since the last success', labels: ['group'] },
      () => exports().map(({ groupId, failures }) => ({ labels: [groupId], value: failures })),
    );
    registry.gauge({ name: 'snapshot_export_bytes', help: 'Size of the last exported snapshot of a group', labels: ['group'] }, () =>
      exports().flatMap(({ groupId }) => {
        const bytes = this.#lastSizes.get(groupId);
        return bytes === undefined ? [] : [{ labels: [groupId], value: bytes }];
      }),
    );
  }
}

function one(value: number): readonly { readonly labels: readonly string[]; readonly value: number }[] {
  return [{ labels: [], value }];
}
