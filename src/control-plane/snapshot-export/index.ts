export { exportSnapshot, showSnapshotKey } from './snapshot-commands.ts';
export { type SnapshotExportSettings, startSnapshotExport } from './start-snapshot-export.ts';
