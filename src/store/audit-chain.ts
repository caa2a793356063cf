import { createHash } from 'node:crypto';

/** What the first entry of a chain follows. */
export const CHAIN_START: Buffer = Buffer.alloc(32);

/** An end of the chain: the last entry that was appended, or the last that retention took away. */
export interface ChainEnd {
  /** Number of the entry; 0 before any. */
  readonly number: number;
  /** Its hash, 32 bytes. */
  readonly hash: Buffer;
}

/** Which end of the chain: where it ends, or up to where retention has come. */
export type ChainEndName = 'head' | 'anchor';

/** The columns of an audit entry, as they are stored. */
export interface AuditColumns {
  readonly number: number;
  readonly at: number;
  readonly author_id: string;
  readonly author_name: string;
  readonly action: string;
  readonly group_id: string | null;
  readonly resource: string;
  readonly address: string | null;
  /** JSON text: a database must give it back byte for byte. */
  readonly detail: string;
  readonly origin: string | null;
}

/** SHA-256 over the previous entry's hash and the entry's own content, its number included. */
export function hashOfEntry(previousHash: Uint8Array, row: AuditColumns): Buffer {
  const { number, at, author_id, author_name, action, group_id, resource, address, detail, origin } = row;
  const content = JSON.stringify([number, at, author_id, author_name, action, group_id, resource, address, detail, origin]);
  return createHash('sha256').update(previousHash).update(content).digest();
}

/** The form of an end in its setting. */
export function encodeChainEnd(end: ChainEnd): Buffer {
  return Buffer.from(`${end.number}:${end.hash.toString('hex')}`);
}

/** Undefined for what is no such text. */
export function decodeChainEnd(text: string): ChainEnd | undefined {
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  return number === undefined || hash === undefined ? undefined : { number: Number(number), hash: Buffer.from(hash, 'hex') };
}
