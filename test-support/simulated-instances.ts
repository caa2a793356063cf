import { Journal, Subscriber, type SubscriberIdentity } from '../src/distribution/gateway-side.ts';
import { systemClock } from '../src/lib/clock.ts';
import { systemRandom } from '../src/lib/random.ts';
import type { SnapshotDelta, SnapshotItem } from '../src/schema/index.ts';
import { RecordingLogger } from './recording-logger.ts';
import type { RunningInstance } from './running-instance.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A gateway without requests: the real subscriber, mutual TLS and journal on disk, and an applier that only counts. */
export interface SimulatedInstance {
  readonly instanceId: string;
  /** In force here; undefined before the first. */
  readonly revision: number | undefined;
  /** Milliseconds of `performance.now` at which each revision came into force. */
  readonly inForceAtMs: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** Starts one; it connects by itself. */
async function startSimulatedInstance(
  scope: { after(task: () => unknown): void },
  options: {
    readonly syncPort: number;
    readonly identity: SubscriberIdentity;
    /** Asked before each delta is put in force: nothing more is read from the control plane until it resolves. */
    readonly beforeDelta?: () => Promise<void>;
  },
): Promise<SimulatedInstance> {
  const { syncPort, identity, beforeDelta } = options;
  const log = new RecordingLogger();
  const folder = await temporaryFolder(scope);
  const journal = await Journal.open({ folder, groupId: identity.groupId, allowOlder: false, random: systemRandom, log });
  const inForceAtMs = new Map<number, number>();
  const note = (revision: number): void => void inForceAtMs.set(revision, performance.now());
  const subscriber = new Subscriber({
    controlPlanes: [{ host: '127.0.0.1', port: syncPort }],
    identity,
    applier: {
      async loadSnapshot(items: AsyncIterable<readonly SnapshotItem[]>, { revision }): Promise<void> {
        for await (const _ of items);
        note(revision);
      },
      async applyDelta({ toRevision }: SnapshotDelta): Promise<void> {
        await beforeDelta?.();
        note(toRevision);
      },
    },
    journal,
    previousEnd: 'none',
    clock: systemClock,
    log,
    random: systemRandom,
    softwareVersion: '0.0.0-simulated',
  });
  await subscriber.start();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= subscriber.stop().then(() => journal.close()));
  scope.after(stop);
  return {
    instanceId: identity.instanceId,
    get revision() {
      return subscriber.revision;
    },
    inForceAtMs,
    stop,
  };
}

/** Starts one with an identity that the control plane makes for it. */
export async function joinSimulatedInstance(
  scope: { after(task: () => unknown): void },
  options: { readonly plane: RunningInstance; readonly groupId?: string; readonly beforeDelta?: () => Promise<void> },
): Promise<SimulatedInstance> {
  const { plane, groupId = 'default', beforeDelta } = options;
  const answer = await plane.admin('POST', `/api/gateway_groups/${groupId}/dp_client_certificates`);
  if (answer.status !== 200) throw new Error(`no identity: ${JSON.stringify(answer.body)}`);
  const { value } = answer.body as { readonly value: { readonly identity: SubscriberIdentity } };
  const waiting = beforeDelta === undefined ? {} : { beforeDelta };
  return startSimulatedInstance(scope, { syncPort: plane.ports.sync, identity: value.identity, ...waiting });
}
