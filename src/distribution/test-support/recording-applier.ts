import { nameOfSnapshotItem, type SnapshotDelta, type SnapshotItem, type SnapshotItemName } from '../../schema/snapshot.ts';
import type { ConfigurationApplier, SnapshotMeta } from '../configuration-applier.ts';

/** An applier that keeps everything in a map, and refuses or waits when a test says so. */
export class RecordingApplier implements ConfigurationApplier {
  items = new Map<string, SnapshotItem>();
  revision: number | undefined;
  keySalt: Buffer | undefined;
  readonly deltas: SnapshotDelta[] = [];
  snapshotCount = 0;
  largestBatch = 0;
  /** The reason to refuse a revision; undefined takes it. */
  refuse: (revision: number) => string | undefined = () => undefined;
  /** Held up before each call. */
  gate: Promise<void> = Promise.resolve();

  async loadSnapshot(items: AsyncIterable<readonly SnapshotItem[]>, meta: SnapshotMeta): Promise<void> {
    await this.gate;
    const loaded = new Map<string, SnapshotItem>();
    for await (const batch of items) {
      this.largestBatch = Math.max(this.largestBatch, batch.length);
      for (const item of batch) loaded.set(textOf(nameOfSnapshotItem(item)), item);
    }
    this.#refuseIfAsked(meta.revision);
    this.items = loaded;
    this.revision = meta.revision;
    this.keySalt = meta.keySalt;
    this.snapshotCount++;
  }

  async applyDelta(delta: SnapshotDelta): Promise<void> {
    await this.gate;
    if (delta.fromRevision !== delta.toRevision) this.#refuseIfAsked(delta.toRevision);
    for (const change of delta.changes) {
      if (change.op === 'put') this.items.set(textOf(nameOfSnapshotItem(change.item)), change.item);
      else this.items.delete(textOf(change.name));
    }
    this.revision = delta.toRevision;
    this.deltas.push(delta);
  }

  /** e.g. `route r1`, `credential jack/c1 [1,2]` with the first byte of each digest, sorted. */
  get summary(): readonly string[] {
    return [...this.items.values()]
      .map((item) => {
        const name = item.kind === 'credential' ? `${item.consumer}/${item.id}` : item.id;
        const keys = 'keys' in item ? ` [${item.keys.map((key) => Buffer.from(key.digest, 'base64')[0])}]` : '';
        return `${item.kind} ${name}${keys}`;
      })
      .sort();
  }

  #refuseIfAsked(revision: number): void {
    const reason = this.refuse(revision);
    if (reason !== undefined) throw new Error(reason);
  }
}

function textOf(name: SnapshotItemName): string {
  return JSON.stringify([name.kind, name.parentId, name.id]);
}
