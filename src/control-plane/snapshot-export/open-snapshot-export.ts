import type { Clock } from '../../lib/clock.ts';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { Store } from '../../store/index.ts';
import type { Installation } from '../installation.ts';
import type { ExportTarget } from './export-target.ts';
import { folderTarget } from './folder-target.ts';
import { openGroupExporter } from './open-group-exporter.ts';
import { type S3Settings, s3Target } from './s3-target.ts';
import { SnapshotExporter } from './snapshot-exporter.ts';

/** Where snapshots are exported to, and when. */
export interface SnapshotExportSettings {
  readonly to: { readonly kind: 'folder'; readonly folder: string; readonly keep: number } | ({ readonly kind: 's3' } & S3Settings);
  readonly intervalMs: number;
  readonly refreshMs: number;
}

/** What exports on a schedule once it is started. */
export function openSnapshotExport(
  settings: SnapshotExportSettings,
  options: {
    readonly store: Store;
    readonly installation: Installation;
    readonly historyId: string;
    readonly dataFolder: string;
    readonly mayDial: DialPolicy;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    readonly softwareVersion: string;
    /** As of `SnapshotExporter`. */
    readonly onExported?: (groupId: string, bytes: number | undefined) => void;
  },
): SnapshotExporter {
  const { store, dataFolder, onExported, clock, log } = options;
  return new SnapshotExporter({
    store,
    writerOf: (groupId) => openGroupExporter(options, groupId),
    target: openTarget(settings.to, options),
    intervalMs: settings.intervalMs,
    refreshMs: settings.refreshMs,
    folder: dataFolder,
    onExported,
    clock,
    log,
  });
}

function openTarget(
  to: SnapshotExportSettings['to'],
  options: { readonly mayDial: DialPolicy; readonly clock: Clock; readonly random: Random },
): ExportTarget {
  const { mayDial, clock, random } = options;
  if (to.kind === 'folder') return folderTarget({ ...to, clock, random });
  return s3Target({ settings: to, mayDial, clock });
}
