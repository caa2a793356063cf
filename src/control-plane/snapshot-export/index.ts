export { exportSnapshot, showSnapshotKey } from './snapshot-commands.ts';
export type { ExportState } from './snapshot-exporter.ts';
export { type RunningExports, type SnapshotExportSettings, startSnapshotExport } from './start-snapshot-export.ts';
