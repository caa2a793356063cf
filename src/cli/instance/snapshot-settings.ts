import { parseSnapshotKey } from '../../distribution/snapshot-key.ts';
import { StartError } from '../../errors/index.ts';
import type { SnapshotOptions } from '../../gateway/index.ts';
import type { InstanceContext } from './instance-context.ts';
import type { DatedIdentity } from './local-identity.ts';

/** Instance id of gateways that no control plane knows. */
const ALONE = 'without-control-plane';

/** The snapshot that a gateway starts from, with its key; undefined where none is named. @throws StartError when the key is missing or none */
export function snapshotSettings({
  configuration,
  secrets,
}: Pick<InstanceContext, 'configuration' | 'secrets'>): SnapshotOptions | undefined {
  const { snapshot } = configuration;
  if (snapshot === undefined) return undefined;
  const key = secrets.snapshotKey;
  if (key === undefined) {
    throw new StartError('--snapshot needs PORTCULLIS_SNAPSHOT_KEY, or PORTCULLIS_SNAPSHOT_KEY_FILE: portcullis snapshot key shows it.');
  }
  if (parseSnapshotKey(key) === undefined) {
    throw new StartError('PORTCULLIS_SNAPSHOT_KEY is not a snapshot key: portcullis snapshot key shows it, as pcs1. and three parts.');
  }
  return { ...snapshot, key };
}

/** Who a gateway is that has a snapshot and no certificate: it asks no control plane. Undefined where no snapshot is named. */
export function snapshotIdentity(context: Pick<InstanceContext, 'configuration' | 'secrets'>): DatedIdentity | undefined {
  const groupId = parseSnapshotKey(snapshotSettings(context)?.key ?? '')?.groupId;
  if (groupId === undefined) return undefined;
  return { instanceId: ALONE, groupId, certificate: '', privateKey: '', authority: '', expiresAtMs: Number.MAX_SAFE_INTEGER };
}

export function isWithoutControlPlane({ certificate }: Pick<DatedIdentity, 'certificate'>): boolean {
  return certificate === '';
}

/** Why a gateway that starts from this snapshot cannot be that instance; undefined where it can. */
export function unfitForSnapshot(
  context: Pick<InstanceContext, 'configuration' | 'secrets'>,
  { groupId }: Pick<DatedIdentity, 'groupId'>,
): string | undefined {
  const served = snapshotIdentity(context)?.groupId;
  if (served === undefined || served === groupId) return undefined;
  return `the snapshot key is of the gateway group "${served}", the identity of "${groupId}"`;
}
