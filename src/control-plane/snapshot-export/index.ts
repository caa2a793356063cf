export { openSnapshotExport, type SnapshotExportSettings } from './open-snapshot-export.ts';
export { exportSnapshot, showSnapshotKey } from './snapshot-commands.ts';
export type { ExportState, SnapshotExporter } from './snapshot-exporter.ts';
