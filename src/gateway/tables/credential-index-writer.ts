import { EpochRegistry } from '../../lib/epoch-registry.ts';
import { DIGEST_BYTES } from '../../lib/key-digest.ts';
import { RecordArena } from '../../lib/record-arena.ts';
import { SharedDigestTableWriter } from '../../lib/shared-digest-table-writer.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ReadableSchema } from '../../plugin-kit/index.ts';
import { readConsumer } from '../../schema/index.ts';
import type { KeyDigest, SnapshotItem, SnapshotItemName } from '../../schema/snapshot.ts';
import { readPlugins } from '../runtime/read-settings.ts';
import { consumerDetails } from './consumer-details.ts';
import { consumerRecord, isHeaderText } from './consumer-record.ts';
import { ConsumerTable } from './consumer-table.ts';
import { consumerIndexOf, credentialPayload } from './credential-payload.ts';
import { CONSUMER_SPACE, type CredentialTableHandles, type CredentialTableOptions } from './credential-table-handles.ts';
import { OwnerIndex } from './owner-index.ts';
import { UnitMarks } from './unit-marks.ts';

const DEFAULT_MAX_RECORD_BYTES = 1024 * 1024 * 1024;
/** Slots need 20 bytes a key at most, records 64 and more. */
const RECORD_BYTES_PER_SLOT_BYTE = 2;
const RECLAIMED_AT_ONCE = 10_000;

/** A whole snapshot on its way in. */
interface Replacement {
  readonly records: UnitMarks;
  readonly consumers: UnitMarks;
  position: number;
  generation: number;
  consumer: number;
}

/**
 * The agent's side of the tables in which workers find consumers by key or by name.
 *
 * It takes the items of snapshots and deltas as they come and keeps no list of its own: which digests a credential had before
 * is read from the records themselves. Order does not matter: a credential whose consumer is not there yet matches nothing
 * until the consumer comes. A digest belongs to whoever was put last.
 * Not safe for use by two threads; every call is constant time in the size of the tables.
 */
export class CredentialIndexWriter {
  readonly #plugins: ReadonlyMap<string, number>;
  readonly #schemas: readonly ReadableSchema[];
  readonly #resolvePlugins: NonNullable<CredentialTableOptions['resolvePlugins']>;
  readonly #log: Logger;
  readonly #epochs: EpochRegistry;
  readonly #arena: RecordArena;
  readonly #table: SharedDigestTableWriter;
  readonly #consumers: ConsumerTable;
  readonly #owners: OwnerIndex;
  #replacement: Replacement | undefined;

  constructor(options: CredentialTableOptions) {
    if (options.plugins.length > CONSUMER_SPACE) throw new RangeError(`more than ${CONSUMER_SPACE} auth plugins`);
    this.#plugins = new Map(options.plugins.map((name, space) => [name, space]));
    this.#schemas = options.consumerPlugins ?? [];
    this.#resolvePlugins = options.resolvePlugins ?? ((plugins) => plugins);
    this.#log = options.log;
    const maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES;
    const maxSlotBytes = maxRecordBytes / RECORD_BYTES_PER_SLOT_BYTE;
    const seeds = options.random.bytes(8);
    this.#epochs = new EpochRegistry(options.maxReaders);
    this.#arena = new RecordArena(this.#epochs, maxRecordBytes);
    this.#table = new SharedDigestTableWriter({ arena: this.#arena, seed: seeds.readUInt32LE(0), maxSlotBytes });
    this.#consumers = new ConsumerTable(this.#table, this.#arena, this.#epochs);
    this.#owners = new OwnerIndex(this.#table, this.#arena, seeds.readUInt32LE(4), maxSlotBytes);
  }

  /** What workers need to read the tables: post it to them, and make a `CredentialIndexReader` of it there. */
  get handles(): CredentialTableHandles {
    return {
      plugins: [...this.#plugins.keys()],
      table: this.#table.handles,
      consumers: this.#consumers.buffer,
      epochs: this.#epochs.buffer,
    };
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  /** Key digests in the table, those of absent consumers too. */
  get credentialCount(): number {
    return this.#owners.size;
  }

  /** Bytes of records, and of all that the tables take with them, as far as they have ever reached; records that wait for readers to pass. */
  get usage(): { readonly recordBytes: number; readonly bytes: number; readonly quarantinedRecords: number } {
    const recordBytes = this.#arena.usedBytes;
    const bytes = recordBytes + this.#table.slotBytes + this.#owners.slotBytes + this.#consumers.indexBytes;
    return { recordBytes, bytes, quarantinedRecords: this.#arena.quarantined };
  }

  /** Takes a row for a worker that is about to start. @throws RangeError when all are taken */
  registerReader(): number {
    return this.#epochs.register();
  }

  /** Gives the row back, after the worker's thread has ended. */
  releaseReader(row: number): void {
    this.#epochs.release(row);
  }

  /** Applies one item; kinds other than consumer and credential are ignored. @throws SharedTableFull */
  applyPut(item: SnapshotItem): void {
    switch (item.kind) {
      case 'consumer':
        this.#putConsumer(item.id, item);
        return;
      case 'credential':
        this.#putKeys(this.#consumers.indexFor(item.consumer), item.id, item.keys);
        return;
      default:
        return;
    }
  }

  /** Takes one item out; nothing happens when it is not there. Deleting a consumer does not delete its credentials, but none of them matches any more. */
  applyDelete(name: SnapshotItemName): void {
    if (name.kind === 'consumer') this.#removeConsumer(name.id);
    if (name.kind !== 'credential') return;
    const index = this.#consumers.indexOf(name.parentId);
    if (index >= 0) this.#putKeys(index, name.id, []);
  }

  /** A whole snapshot follows by `applyPut`: what is not put again is removed by `finishReplace`, nothing before. */
  beginReplace(): void {
    this.#replacement = { records: new UnitMarks(), consumers: new UnitMarks(), position: 0, generation: -1, consumer: 0 };
  }

  /** Removes what the snapshot did not hold, looking at `limit` places at most; false: call again, before any other change. */
  finishReplace(limit: number): boolean {
    const replacement = this.#replacement;
    if (replacement === undefined) return true;
    const left = this.#sweepRecords(replacement, limit);
    if (left <= 0 || !this.#sweepConsumers(replacement, left)) return false;
    this.#replacement = undefined;
    return true;
  }

  /** Makes free for use what no worker can see any more. To be called now and then; changes do a little of it as well. */
  reclaim(): void {
    this.#arena.reclaim(RECLAIMED_AT_ONCE);
    this.#consumers.reclaim(RECLAIMED_AT_ONCE);
  }

  #putConsumer(username: string, item: Extract<SnapshotItem, { readonly kind: 'consumer' }>): void {
    if (!isHeaderText(username)) {
      this.#log.warn('a consumer whose name no header can carry is left out', { consumer: JSON.stringify(username) });
      this.#removeConsumer(username);
      return;
    }
    const { customId, labels, plugins } = readConsumer(item.value);
    if (customId !== undefined && !isHeaderText(customId)) {
      this.#log.warn('a custom id with control characters is not sent to upstreams', { consumer: username });
    }
    const index = this.#consumers.indexFor(username);
    this.#replacement?.consumers.add(index);
    const details = consumerDetails(labels, this.#resolvePlugins(readPlugins(plugins, this.#schemas)));
    this.#consumers.put(index, consumerRecord({ username, customId }), details);
    this.#putKeys(index, undefined, item.keys);
  }

  #removeConsumer(username: string): void {
    const index = this.#consumers.indexOf(username);
    if (index < 0) return;
    this.#putKeys(index, undefined, []);
    this.#consumers.remove(index);
  }

  /** Makes these keys the owner's only ones. What it keeps as it is is not touched; new keys come before old ones go. */
  #putKeys(index: number, credentialId: string | undefined, keys: readonly KeyDigest[]): void {
    const owner = credentialPayload(index, credentialId);
    const before = new Set(this.#owners.recordsOf(owner));
    // Holds the index while the owner's last key may go and another come.
    this.#consumers.addReference(index);
    try {
      for (const key of keys) {
        const payload = key.data === undefined ? owner : credentialPayload(index, credentialId, JSON.stringify(key.data));
        const unit = this.#putKey(key, payload, index, before);
        if (unit !== undefined) before.delete(unit);
      }
      for (const unit of before) this.#removeRecord(unit);
    } finally {
      this.#consumers.dropReference(index);
    }
  }

  /** The record of the key. One of `before` that it replaces is not there any more. */
  #putKey(key: KeyDigest, payload: Buffer, index: number, before: Set<number>): number | undefined {
    const space = this.#plugins.get(key.plugin);
    const digest = Buffer.from(key.digest, 'base64');
    if (space === undefined || digest.length !== DIGEST_BYTES) {
      this.#log.warn('a key that this gateway cannot use is left out', { plugin: key.plugin });
      return undefined;
    }
    const old = this.#table.find(space, digest);
    if (old !== 0 && before.has(old) && this.#hasPayload(old, payload)) {
      this.#replacement?.records.add(old);
      return old;
    }
    const unit = this.#table.put(space, digest, payload);
    before.delete(old);
    // The replaced record is in quarantine, so it can still be read.
    if (old !== 0) this.#disown(old);
    this.#owners.add(unit);
    this.#consumers.addReference(index);
    this.#replacement?.records.add(unit);
    return unit;
  }

  #hasPayload(unit: number, payload: Buffer): boolean {
    const start = this.#table.payloadStart(unit);
    return this.#arena.bytes.compare(payload, 0, payload.length, start, start + this.#table.payloadLength(unit)) === 0;
  }

  #removeRecord(unit: number): void {
    this.#table.removeRecord(unit);
    this.#disown(unit);
  }

  #disown(unit: number): void {
    this.#owners.remove(unit);
    this.#replacement?.records.delete(unit);
    this.#consumers.dropReference(consumerIndexOf(this.#arena.bytes, this.#table.payloadStart(unit)));
  }

  #sweepRecords(replacement: Replacement, limit: number): number {
    let left = limit;
    if (replacement.generation !== this.#owners.generation) {
      replacement.generation = this.#owners.generation;
      replacement.position = 0;
    }
    while (left > 0 && replacement.position < this.#owners.positions) {
      const unit = this.#owners.unitAt(replacement.position);
      if (unit !== 0 && !replacement.records.has(unit)) this.#removeRecord(unit);
      if (replacement.generation !== this.#owners.generation) return 0;
      replacement.position += 1;
      left -= 1;
    }
    return left;
  }

  #sweepConsumers(replacement: Replacement, limit: number): boolean {
    const end = Math.min(replacement.consumer + limit, this.#consumers.end);
    for (; replacement.consumer < end; replacement.consumer++) {
      const { consumer } = replacement;
      if (this.#consumers.isPresent(consumer) && !replacement.consumers.has(consumer)) this.#consumers.remove(consumer);
    }
    return replacement.consumer >= this.#consumers.end;
  }
}
