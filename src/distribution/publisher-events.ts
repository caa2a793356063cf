/** Whom a publisher tells of what happens, to be counted. */
export interface PublisherEvents {
  /** An instance has a delta in force, this long after it was sent. */
  readonly onAcknowledged: (latencyMs: number) => void;
  readonly onRefused: () => void;
  /** A snapshot was sent to its end: the bytes of its items. */
  readonly onSnapshotSent: (groupId: string, bytes: number) => void;
  /** An instance has compared what it holds with what it should hold. */
  readonly onCompared: (outcome: 'same' | 'different') => void;
}
