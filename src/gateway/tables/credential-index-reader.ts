// The global is a property with a getter, which compiled code cannot see through; this is asked once a request.
import { Buffer } from 'node:buffer';
import { EpochRow } from '../../lib/epoch-registry.ts';
import { UNIT_BYTES } from '../../lib/record-arena.ts';
import { SharedBytesView } from '../../lib/shared-bytes-view.ts';
import { SharedDigestTableReader } from '../../lib/shared-digest-table-reader.ts';
import { nameDigest, RECORD_LENGTH_BYTES } from './consumer-table.ts';
import { CREDENTIAL_ID_OFFSET } from './credential-payload.ts';
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

  /** The consumer of this name, whatever its credentials. */
  findByName(username: string): IdentifiedConsumer | undefined {
    return this.#find(CONSUMER_SPACE, nameDigest(username));
  }

  /** Says that nothing is being read. To be called from the worker's heartbeat: memory of replaced entries waits for it. */
  passEpoch(): void {
    this.#epoch.pass();
  }

  #find(space: number, digest: Uint8Array): IdentifiedConsumer | undefined {
    const record = this.#table.find(space, digest);
    if (record < 0) return undefined;
    const start = this.#table.payloadStart(record);
    const end = start + this.#table.payloadLength(record);
    const index = this.#records.words[start >>> 2] ?? 0;
    this.#consumers.reach((index + 1) * 4);
    const consumer = Atomics.load(this.#consumers.words, index);
    return consumer === 0 ? undefined : this.#copy(consumer, start + CREDENTIAL_ID_OFFSET, end);
  }

  #copy(consumer: number, idStart: number, idEnd: number): IdentifiedConsumer {
    const at = consumer * UNIT_BYTES;
    this.#records.reach(at + RECORD_LENGTH_BYTES);
    const length = this.#records.words[at >>> 2] ?? 0;
    const start = at + RECORD_LENGTH_BYTES;
    this.#records.reach(start + length);
    const { bytes } = this.#records;
    const copy = Buffer.allocUnsafe(length + idEnd - idStart);
    bytes.copy(copy, 0, start, start + length);
    bytes.copy(copy, length, idStart, idEnd);
    return new IdentifiedConsumer(copy, length);
  }
}
