import { own, parseObject, readCount, readHistory, readString } from './read-fields.ts';

/** Where the configuration comes from: needed to verify it and to look keys up in it. */
export interface JournalOrigin {
  readonly groupId: string;
  /** Base64 of the salt of `digestKey`. */
  readonly keySalt: string;
  /** Base64 of the SPKI of the control planes' Ed25519 key. */
  readonly signingKey: string;
}

/** One record of a journal. Payloads and signatures are kept as they were received, so that they can be verified again. */
export type JournalRecord =
  | ({ readonly kind: 'origin' } & JournalOrigin)
  | { readonly kind: 'snapshot-start'; readonly revision: number; readonly history?: string | undefined }
  | { readonly kind: 'snapshot-part'; readonly payload: string }
  | { readonly kind: 'snapshot-end'; readonly revision: number; readonly itemCount: number; readonly signature: string }
  | {
      readonly kind: 'delta';
      readonly fromRevision: number;
      readonly toRevision: number;
      readonly history?: string | undefined;
      readonly count: number;
      readonly signature: string;
      readonly payload: string;
    }
  /** Everything up to this revision has proved itself. */
  | { readonly kind: 'good'; readonly revision: number }
  /** The last `entryCount` snapshots and deltas before this record are not to be loaded. */
  | { readonly kind: 'refused'; readonly revision: number; readonly reason: string; readonly entryCount: number };

const LINE_FEED = 0x0a;

/** A line of JSON, then the payload as it is: escaping it once more would cost a third of the time to load. */
export function encodeRecord(record: JournalRecord): Buffer {
  if (!('payload' in record)) return Buffer.from(`${JSON.stringify(record)}\n`);
  const { payload, ...head } = record;
  return Buffer.from(`${JSON.stringify(head)}\n${payload}`);
}

/** Undefined for a record of a later version. @throws ProtocolError when the bytes are no record */
export function decodeRecord(bytes: Buffer): JournalRecord | undefined {
  const headEnd = bytes.indexOf(LINE_FEED);
  const fields = parseObject(bytes.toString('utf8', 0, Math.max(0, headEnd)));
  const payload = bytes.toString('utf8', headEnd + 1);
  const kind = own(fields, 'kind');
  switch (kind) {
    case 'origin':
      return {
        kind,
        groupId: readString(fields, 'groupId'),
        keySalt: readString(fields, 'keySalt'),
        signingKey: readString(fields, 'signingKey'),
      };
    case 'snapshot-start':
      return { kind, revision: readCount(fields, 'revision'), ...readHistory(fields) };
    case 'snapshot-part':
      return { kind, payload };
    case 'snapshot-end':
      return {
        kind,
        revision: readCount(fields, 'revision'),
        itemCount: readCount(fields, 'itemCount'),
        signature: readString(fields, 'signature'),
      };
    case 'delta':
      return {
        kind,
        fromRevision: readCount(fields, 'fromRevision'),
        toRevision: readCount(fields, 'toRevision'),
        ...readHistory(fields),
        count: readCount(fields, 'count'),
        signature: readString(fields, 'signature'),
        payload,
      };
    case 'good':
      return { kind, revision: readCount(fields, 'revision') };
    case 'refused':
      return {
        kind,
        revision: readCount(fields, 'revision'),
        reason: readString(fields, 'reason'),
        entryCount: readCount(fields, 'entryCount'),
      };
    default:
      return undefined;
  }
}
