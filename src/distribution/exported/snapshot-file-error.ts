/** An exported snapshot is of no use: torn, changed, of another group, by another signer. The message goes on after "the snapshot … is refused: ". */
export class SnapshotFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SnapshotFileError';
  }
}
