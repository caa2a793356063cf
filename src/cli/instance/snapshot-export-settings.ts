import type { ControlPlaneOptions } from '../../control-plane/index.ts';
import { StartError } from '../../errors/index.ts';
import type { InstanceContext } from './instance-context.ts';

/** Where and when snapshots are exported, with the keys of the store. @throws StartError when a store is named and its keys are missing */
export function snapshotExportSettings({
  configuration,
  secrets,
}: Pick<InstanceContext, 'configuration' | 'secrets'>): ControlPlaneOptions['snapshotExport'] {
  if (configuration.snapshotExport === undefined) return undefined;
  const { place, intervalMs, refreshMs } = configuration.snapshotExport;
  if (place.kind === 'folder') return { to: place, intervalMs, refreshMs };
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = secrets;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new StartError(
      '--snapshot-export-to s3://… needs PORTCULLIS_S3_ACCESS_KEY_ID and PORTCULLIS_S3_SECRET_ACCESS_KEY, each also as NAME_FILE.',
    );
  }
  return { to: { ...place, accessKeyId, secretAccessKey }, intervalMs, refreshMs };
}
