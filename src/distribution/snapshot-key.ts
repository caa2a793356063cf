import { createHash, hkdfSync } from 'node:crypto';

/** The secret that opens the exported snapshots of one gateway group, with the mark of the key that must have signed them. */
export interface SnapshotKey {
  readonly groupId: string;
  /** 32 bytes. */
  readonly secret: Buffer;
  /** SHA-256 of the SPKI (DER) of the control planes' Ed25519 key. */
  readonly fingerprint: Buffer;
}

export const SNAPSHOT_KEY_BYTES = 32;
const PREFIX = 'pcs1';
/** In a file there may be the whole line that `portcullis snapshot key` prints. */
const FORM = /^(?:export PORTCULLIS_SNAPSHOT_KEY=)?pcs1\.([A-Za-z0-9_-]{1,400})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;
const CONTENT_KEY = 'portcullis-snapshot-1';

/** As a gateway is given it: `pcs1.<group>.<secret>.<fingerprint>`, each in base64url. */
export function formatSnapshotKey({ groupId, secret, fingerprint }: SnapshotKey): string {
  return [PREFIX, Buffer.from(groupId).toString('base64url'), secret.toString('base64url'), fingerprint.toString('base64url')].join('.');
}

/** Undefined for a text that is no snapshot key. */
export function parseSnapshotKey(text: string): SnapshotKey | undefined {
  const [, group, secret, fingerprint] = FORM.exec(text.trim()) ?? [];
  if (group === undefined || secret === undefined || fingerprint === undefined) return undefined;
  const key = {
    groupId: Buffer.from(group, 'base64url').toString(),
    secret: Buffer.from(secret, 'base64url'),
    fingerprint: Buffer.from(fingerprint, 'base64url'),
  };
  return key.secret.length === SNAPSHOT_KEY_BYTES && key.fingerprint.length === SNAPSHOT_KEY_BYTES ? key : undefined;
}

/** The mark of a signing key, given as base64 of its SPKI. */
export function fingerprintOf(signingKey: string): Buffer {
  return createHash('sha256').update(Buffer.from(signingKey, 'base64')).digest();
}

/** The key that encrypts one file: each has a salt of its own, so that no two are encrypted with the same (RFC 5869). */
export function contentKeyOf({ secret }: SnapshotKey, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, CONTENT_KEY, 32));
}
