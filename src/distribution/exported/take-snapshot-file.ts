import { DIGEST_BYTES } from '../../lib/key-digest.ts';
import type { HeldConfiguration, TakeOutcome } from '../held-configuration.ts';
import type { JournalOrigin, JournalRecord } from '../journal-record.ts';
import type { JournalSnapshotWriter } from '../journal-snapshot-writer.ts';
import { parseChanges } from '../parse-payload.ts';
import { PayloadDigest, type SignedStatement, Verifier } from '../signing.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';
import type { SnapshotFileReader } from './snapshot-file-reader.ts';

/** What became of a file. `not-newer`: what is in force is at least as new as the state with which the file begins. */
export type SnapshotFileOutcome = TakeOutcome | { readonly kind: 'not-newer' };

/** Deltas inside a file: what was written while it was read, at most. */
const MAX_DELTAS = 4;

type DeltaRecord = Extract<JournalRecord, { readonly kind: 'delta' }>;

/**
 * Puts the configuration of an exported snapshot in force and keeps it on disk, as if a control plane had sent it. Everything in the
 * file is verified to its end before anything of it is used.
 *
 * @throws SnapshotFileError for a file that is torn, changed, or makes no sense; what is in force stays
 */
export async function takeSnapshotFile(
  reader: SnapshotFileReader,
  held: HeldConfiguration,
  options: { readonly allowOlder: boolean },
): Promise<SnapshotFileOutcome> {
  const { revision } = reader.header;
  const inForce = held.revision;
  if (inForce !== undefined && (options.allowOlder ? revision === inForce : revision <= inForce)) return { kind: 'not-newer' };
  const reason = held.reasonToRefuse(revision);
  if (reason !== undefined) return { kind: 'refused', revision, reason, retry: false };
  const content = new SnapshotFileContent(reader, held);
  try {
    for await (const record of reader.records()) await content.take(record);
    const parts = content.finish();
    // What was written while the file was made lies behind its state as deltas: that state alone may be older than what is in force.
    if (inForce !== undefined && !options.allowOlder && parts.end.revision < inForce) {
      await parts.writer.abort();
      return { kind: 'not-newer' };
    }
    const outcome = await held.takeSnapshot(parts.writer, parts.end, parts.origin);
    if (outcome.kind !== 'applied') return outcome;
    return await takeDeltas(parts.deltas, held, parts.origin, outcome);
  } catch (error) {
    await content.abort();
    throw error;
  }
}

async function takeDeltas(
  deltas: readonly DeltaRecord[],
  held: HeldConfiguration,
  origin: JournalOrigin,
  first: TakeOutcome,
): Promise<TakeOutcome> {
  let outcome = first;
  for (const delta of deltas) {
    if (outcome.kind !== 'applied') return outcome;
    outcome = await held.takeDelta(delta, parseChanges(delta.payload), origin);
  }
  return outcome;
}

interface WholeContent {
  readonly writer: JournalSnapshotWriter;
  readonly end: { readonly revision: number; readonly itemCount: number; readonly signature: string };
  readonly origin: JournalOrigin;
  readonly deltas: readonly DeltaRecord[];
}

/** The records of a file as they come: each kind at its place, every signature verified. */
class SnapshotFileContent {
  readonly #reader: SnapshotFileReader;
  readonly #held: HeldConfiguration;
  readonly #digest = new PayloadDigest();
  readonly #deltas: DeltaRecord[] = [];
  #origin: JournalOrigin | undefined;
  #writer: JournalSnapshotWriter | undefined;
  #start: number | undefined;
  #end: WholeContent['end'] | undefined;
  #isFinished = false;

  constructor(reader: SnapshotFileReader, held: HeldConfiguration) {
    this.#reader = reader;
    this.#held = held;
  }

  async take(record: JournalRecord): Promise<void> {
    switch (record.kind) {
      case 'origin':
        return this.#takeOrigin(record);
      case 'snapshot-start':
        return this.#begin(record);
      case 'snapshot-part':
        if (this.#writer === undefined || this.#end !== undefined) throw malformed();
        this.#digest.add(record.payload);
        return this.#writer.add(record.payload);
      case 'snapshot-end':
        return this.#takeEnd(record);
      case 'delta':
        return this.#takeDelta(record);
      case 'good':
      case 'refused':
        throw malformed();
    }
  }

  /** All parts; to be asked for when the file has come to its end. */
  finish(): WholeContent {
    const { revision } = this.#reader.header;
    const last = this.#deltas.at(-1)?.toRevision ?? this.#end?.revision;
    if (this.#writer === undefined || this.#end === undefined || this.#origin === undefined || last !== revision) throw malformed();
    this.#isFinished = true;
    return { writer: this.#writer, end: this.#end, origin: this.#origin, deltas: this.#deltas };
  }

  /** Leaves nothing behind of a file that did not come to its end. */
  async abort(): Promise<void> {
    if (!this.#isFinished) await this.#writer?.abort();
  }

  #takeOrigin({ groupId, keySalt, signingKey }: JournalOrigin): void {
    const { header } = this.#reader;
    const isGood = groupId === header.groupId && signingKey === header.signingKey && this.#origin === undefined;
    if (!isGood || Buffer.from(keySalt, 'base64').length !== DIGEST_BYTES) throw malformed();
    this.#origin = { groupId, keySalt, signingKey };
  }

  async #begin(record: Extract<JournalRecord, { readonly kind: 'snapshot-start' }>): Promise<void> {
    if (this.#origin === undefined || this.#start !== undefined) throw malformed();
    this.#start = record.revision;
    this.#writer = await this.#held.beginSnapshot(record, this.#origin);
  }

  #takeEnd(record: Extract<JournalRecord, { readonly kind: 'snapshot-end' }>): void {
    const { revision: toRevision, itemCount: count, signature } = record;
    if (this.#start !== toRevision || this.#end !== undefined) throw malformed();
    this.#verify({ kind: 'snapshot', fromRevision: 0, toRevision, count, payloadDigest: this.#digest.finish() }, signature);
    this.#end = record;
  }

  #takeDelta(record: DeltaRecord): void {
    const { fromRevision, toRevision, count, payload, signature } = record;
    const before = this.#deltas.at(-1)?.toRevision ?? this.#end?.revision;
    if (before === undefined || fromRevision !== before || toRevision <= before || this.#deltas.length >= MAX_DELTAS) throw malformed();
    this.#verify({ kind: 'delta', fromRevision, toRevision, count, payloadDigest: new PayloadDigest().add(payload).finish() }, signature);
    this.#deltas.push(record);
  }

  #verify(statement: Omit<SignedStatement, 'groupId'>, signature: string): void {
    const { groupId, signingKey } = this.#reader.header;
    if (!new Verifier(signingKey).isGenuine({ groupId, ...statement }, signature)) throw malformed();
  }
}

function malformed(): SnapshotFileError {
  return new SnapshotFileError('its records do not fit together');
}
