import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Random } from '../../lib/random.ts';
import { syncFolder } from '../../lib/sync-folder.ts';
import { encodeRecord, type JournalOrigin, type JournalRecord } from '../journal-record.ts';
import { parseChanges } from '../parse-payload.ts';
import type { SignedMessages } from '../signed-messages.ts';
import type { Signer } from '../signing.ts';
import { contentKeyOf, type SnapshotKey } from '../snapshot-key.ts';
import { sealChunk } from './chunk-cipher.ts';
import { encodeSnapshotHeader, type SnapshotHeader } from './snapshot-header.ts';

/** What a snapshot is written from. */
export interface SnapshotFileOptions {
  readonly messages: Pick<SignedMessages, 'snapshot' | 'delta'>;
  readonly signer: Signer;
  readonly key: SnapshotKey;
  /** The salt of `digestKey`: it lies inside the encryption only. */
  readonly keySalt: Buffer;
  readonly nowMs: number;
  readonly random: Random;
  readonly softwareVersion: string;
}

/** How often a snapshot is begun anew because so much was written while it was read that no delta leads on from it. */
const MAX_ATTEMPTS = 3;
const SALT_BYTES = 32;
const NOTHING = Buffer.alloc(0);

/**
 * Writes the present configuration of a group into `file` (mode 0600): it appears as a whole and on disk, or not at all, and one that
 * was there before is replaced. Returns the revision that it holds.
 *
 * @throws Error when the disk is full, or the store cannot be read; nothing is left behind
 */
export async function writeSnapshotFile(file: string, options: SnapshotFileOptions): Promise<{ readonly revision: number }> {
  const draft = path.join(path.dirname(file), `.${path.basename(file)}.${options.random.bytes(6).toString('hex')}.draft`);
  try {
    for (let attempt = 1; ; attempt++) {
      const revision = await writeDraft(draft, options);
      if (revision !== undefined) {
        await rename(draft, file);
        await syncFolder(path.dirname(file));
        return { revision };
      }
      if (attempt === MAX_ATTEMPTS) throw new Error('the configuration changes too quickly for a snapshot');
    }
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function writeDraft(draft: string, options: SnapshotFileOptions): Promise<number | undefined> {
  const handle = await open(draft, 'w', 0o600);
  try {
    const writer = new SnapshotFileWriter(handle, options);
    return await writer.write();
  } finally {
    await handle.close();
  }
}

/** Writes one file from its beginning to its end. */
class SnapshotFileWriter {
  readonly #handle: FileHandle;
  readonly #options: SnapshotFileOptions;
  readonly #salt: Buffer;
  readonly #contentKey: Buffer;
  readonly #digest: Hash = createHash('sha256');
  #offset: number;
  #count = 0;

  constructor(handle: FileHandle, options: SnapshotFileOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#salt = options.random.bytes(SALT_BYTES);
    this.#contentKey = contentKeyOf(options.key, this.#salt);
    this.#offset = encodeSnapshotHeader(this.#header(0)).length;
  }

  /** The revision; undefined when only another attempt helps. */
  async write(): Promise<number | undefined> {
    const { messages, key, keySalt, signer } = this.#options;
    const origin: JournalOrigin = { groupId: key.groupId, keySalt: keySalt.toString('base64'), signingKey: signer.publicKey };
    await this.#append({ kind: 'origin', ...origin });
    let revision = 0;
    for await (const message of messages.snapshot()) {
      if (message.kind !== 'snapshot-part') revision = message.revision;
      await this.#append(message);
    }
    const last = await this.#appendDelta(revision);
    if (last === undefined) return undefined;
    await this.#end(last);
    return last;
  }

  /** Items were read while writes went on: what was written meanwhile brings each of them to one and the same revision. */
  async #appendDelta(fromRevision: number): Promise<number | undefined> {
    const delta = await this.#options.messages.delta(fromRevision);
    if (delta === undefined) return undefined;
    if (delta.toRevision === fromRevision) return fromRevision;
    const { kind, toRevision, history, signature, payload } = delta.message;
    const { count } = parseChanges(payload);
    await this.#append({ kind, fromRevision, toRevision, history, count, signature, payload });
    return toRevision;
  }

  async #end(revision: number): Promise<void> {
    const { signer, key } = this.#options;
    const header = encodeSnapshotHeader(this.#header(revision));
    const payloadDigest = this.#digest.update(header).digest();
    const signature = signer.sign({
      groupId: key.groupId,
      kind: 'export',
      fromRevision: 0,
      toRevision: revision,
      count: this.#count,
      payloadDigest,
    });
    await this.#writeAll(sealChunk(this.#contentKey, this.#count, 'end', Buffer.from(signature, 'base64'), header), this.#offset);
    await this.#writeAll(header, 0);
    await this.#handle.sync();
  }

  async #append(record: JournalRecord): Promise<void> {
    const plaintext = encodeRecord(record);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(plaintext.length);
    this.#digest.update(length).update(plaintext);
    const sealed = sealChunk(this.#contentKey, this.#count, 'record', plaintext, NOTHING);
    await this.#writeAll(sealed, this.#offset);
    this.#offset += sealed.length;
    this.#count++;
  }

  async #writeAll(bytes: Buffer, offset: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, offset + written);
      written += bytesWritten;
    }
  }

  #header(revision: number): SnapshotHeader {
    const { key, nowMs, signer, softwareVersion } = this.#options;
    return {
      groupId: key.groupId,
      revision,
      createdAtMs: nowMs,
      salt: this.#salt.toString('base64'),
      signingKey: signer.publicKey,
      softwareVersion,
    };
  }
}
