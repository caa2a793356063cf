/** By what its header says, a snapshot is older than what is in force: it is not fetched any further. */
export class SnapshotNotNewer extends Error {
  constructor() {
    super('the snapshot is older than what is in force');
    this.name = 'SnapshotNotNewer';
  }
}
