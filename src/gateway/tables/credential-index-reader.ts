// The global is a property with a getter, which compiled code cannot see through; this is asked once a request.
import { Buffer } from 'node:buffer';
import { PAYLOAD_OFFSET } from '../../lib/digest-record.ts';
import { EpochRow } from '../../lib/epoch-registry.ts';
import { UNIT_BYTES } from '../../lib/record-arena.ts';
import { SharedBytesView } from '../../lib/shared-bytes-view.ts';
import { SharedDigestTableReader } from '../../lib/shared-digest-table-reader.ts';
import { DETAILS_UNIT_BYTES, nameDigest, RECORD_LENGTH_BYTES, RECORD_LENGTH_MASK } from './consumer-table.ts';
import { CONSUMER_INDEX_MASK, CREDENTIAL_ID_OFFSET, endOfCredentialId, endOfData } from './credential-payload.ts';
import { CONSUMER_SPACE, type CredentialTableHandles } from './credential-table-handles.ts';
import { IdentifiedConsumer } from './identified-consumer.ts';
import { PresentedKeyDigest } from './presented-key-digest.ts';

/** A worker's view of the credential tables. Every answer is copied out, so nothing of it depends on shared memory. */
export class CredentialIndexReader {
  readonly #spaces: ReadonlyMap<string, number>;
  readonly #table: SharedDigestTableReader;
  readonly #records: SharedBytesView;
  readonly #consumers: SharedBytesView;
  readonly #epoch: EpochRow;
  readonly #presented = new PresentedKeyDigest();

  /** `row` is what `CredentialIndexWriter.registerReader` gave for this worker. */
  constructor(handles: CredentialTableHandles, row: number) {
    this.#spaces = new Map(handles.plugins.map((name, space) => [name, space]));
    this.#records = new SharedBytesView(handles.table.records);
    this.#table = new SharedDigestTableReader(handles.table, this.#records);
    this.#consumers = new SharedBytesView(handles.consumers);
    this.#epoch = new EpochRow(handles.epochs, row);
  }

  /** The consumer that holds this key for this plugin. `key`: raw bytes, or a byte string (one character per byte). */
  findByKey(plugin: string, salt: Uint8Array, key: Uint8Array | string): IdentifiedConsumer | undefined {
    const space = this.#spaces.get(plugin);
    return space === undefined ? undefined : this.#find(space, this.#presented.compute(salt, key));
  }

  /**
   * The consumer whose credential has this unique value: the same look-up for plugins by whose values nobody gets in alone, such as a user
   * name. What the plugin compares further is in `credentialDataText`.
   */
  findCredential(plugin: string, salt: Uint8Array, uniqueValue: Uint8Array | string): IdentifiedConsumer | undefined {
    return this.findByKey(plugin, salt, uniqueValue);
  }

  /** The consumer of this name, whatever its credentials. */
  findByName(username: string): IdentifiedConsumer | undefined {
    return this.#find(CONSUMER_SPACE, nameDigest(username));
  }

  /** Whether what let somebody in would do so now: not when it was removed, belongs to another, or proves something else. */
  isCurrent(identified: IdentifiedConsumer): boolean {
    const { foundBy } = identified;
    if (foundBy === undefined) return true;
    return this.#find(foundBy.space, foundBy.digest)?.provesSameAs(identified) === true;
  }

  /** Says that nothing is being read. To be called from the worker's heartbeat: memory of replaced entries waits for it. */
  passEpoch(): void {
    this.#epoch.pass();
  }

  #find(space: number, digest: Uint8Array): IdentifiedConsumer | undefined {
    const record = this.#table.find(space, digest);
    if (record < 0) return undefined;
    const records = this.#records;
    const start = this.#table.payloadStart(record);
    const end = start + this.#table.payloadLength(record);
    const word = records.words[start >>> 2] ?? 0;
    const index = word & CONSUMER_INDEX_MASK;
    this.#consumers.reach((index + 1) * 4);
    const consumer = Atomics.load(this.#consumers.words, index);
    if (consumer === 0) return undefined;
    const at = consumer * UNIT_BYTES;
    records.reach(at + RECORD_LENGTH_BYTES);
    const head = records.words[at >>> 2] ?? 0;
    const hasMore = head > RECORD_LENGTH_MASK || word !== index;
    return hasMore ? this.#copyAll(at, head, start, end) : this.#copy(at, head, start, end);
  }

  /**
   * What every request needs, and for most consumers all there is. The credential's record is copied with its digest, which lies in front of the id
   * anyway: by it what lasts is looked up again.
   */
  #copy(at: number, length: number, payloadStart: number, idEnd: number): IdentifiedConsumer {
    const start = at + RECORD_LENGTH_BYTES;
    this.#records.reach(start + length);
    const { bytes } = this.#records;
    const from = payloadStart - PAYLOAD_OFFSET;
    const copy = Buffer.allocUnsafe(length + idEnd - from);
    bytes.copy(copy, 0, start, start + length);
    bytes.copy(copy, length, from, idEnd);
    return new IdentifiedConsumer(copy, length, length + PAYLOAD_OFFSET + CREDENTIAL_ID_OFFSET);
  }

  /** The same with the details of the consumer and the data of the credential. They too may be gone at the next epoch. */
  #copyAll(at: number, head: number, payloadStart: number, payloadEnd: number): IdentifiedConsumer {
    const start = at + RECORD_LENGTH_BYTES;
    const length = head & RECORD_LENGTH_MASK;
    const details = head > RECORD_LENGTH_MASK ? this.#detailsBehind(start + length) : NOTHING;
    this.#records.reach(start + length);
    const { bytes } = this.#records;
    const from = payloadStart - PAYLOAD_OFFSET;
    const idEnd = endOfCredentialId(bytes, payloadStart, payloadEnd);
    const dataEnd = idEnd === payloadEnd ? payloadEnd : endOfData(payloadEnd);
    const copiedIdEnd = length + idEnd - from;
    const copiedDetailsEnd = copiedIdEnd + details.end - details.start;
    const copy = Buffer.allocUnsafe(copiedDetailsEnd + dataEnd - idEnd);
    bytes.copy(copy, 0, start, start + length);
    bytes.copy(copy, length, from, idEnd);
    bytes.copy(copy, copiedIdEnd, details.start, details.end);
    bytes.copy(copy, copiedDetailsEnd, idEnd, dataEnd);
    return new IdentifiedConsumer(copy, length, length + PAYLOAD_OFFSET + CREDENTIAL_ID_OFFSET, copiedIdEnd, copiedDetailsEnd);
  }

  /** Where the details lie whose unit stands at `unitAt`. */
  #detailsBehind(unitAt: number): { readonly start: number; readonly end: number } {
    const records = this.#records;
    records.reach(unitAt + DETAILS_UNIT_BYTES);
    const at = records.bytes.readUInt32LE(unitAt) * UNIT_BYTES;
    records.reach(at + RECORD_LENGTH_BYTES);
    const start = at + RECORD_LENGTH_BYTES;
    const end = start + (records.words[at >>> 2] ?? 0);
    records.reach(end);
    return { start, end };
  }
}

const NOTHING = { start: 0, end: 0 } as const;
