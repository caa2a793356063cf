export { exportSnapshot, showSnapshotKey } from './snapshot-commands.ts';
