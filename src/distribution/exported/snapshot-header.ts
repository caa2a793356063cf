import { timingSafeEqual } from 'node:crypto';
import { own, parseObject, readCount, readString } from '../read-fields.ts';
import { fingerprintOf, type SnapshotKey } from '../snapshot-key.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';

/** What stands in clear at the beginning of an exported snapshot. It is signed, and authenticated with the end of the file. */
export interface SnapshotHeader {
  readonly groupId: string;
  /** Of the configuration inside. */
  readonly revision: number;
  /** Wall clock of the control plane. */
  readonly createdAtMs: number;
  /** Base64, 32 bytes; of this file's encryption, not that of keys. */
  readonly salt: string;
  /** Base64 of the SPKI of the key that signed the file. */
  readonly signingKey: string;
  readonly softwareVersion: string;
}

/** A header has this length whatever it says, because the revision is only known when all has been read. */
export const SNAPSHOT_HEADER_BYTES = 2048;
const FORMAT = 'portcullis-snapshot 1\n';
const SALT_BYTES = 32;

/** @throws RangeError when the names in it are too long */
export function encodeSnapshotHeader(header: SnapshotHeader): Buffer {
  const text = Buffer.from(`${FORMAT}${JSON.stringify(header)}`);
  if (text.length >= SNAPSHOT_HEADER_BYTES) throw new RangeError('the header of a snapshot is too long');
  const bytes = Buffer.alloc(SNAPSHOT_HEADER_BYTES, ' ');
  text.copy(bytes);
  bytes.write('\n', SNAPSHOT_HEADER_BYTES - 1);
  return bytes;
}

/** @throws SnapshotFileError */
export function decodeSnapshotHeader(bytes: Buffer): SnapshotHeader {
  const text = bytes.toString('utf8');
  if (!text.startsWith(FORMAT)) {
    const isOther = text.startsWith('portcullis-snapshot ');
    throw new SnapshotFileError(isOther ? 'it has the format of another version' : 'it is not an exported snapshot');
  }
  try {
    const fields = parseObject(text.slice(FORMAT.length));
    const header = {
      groupId: readString(fields, 'groupId'),
      revision: readCount(fields, 'revision'),
      createdAtMs: readCount(fields, 'createdAtMs'),
      salt: readString(fields, 'salt'),
      signingKey: readString(fields, 'signingKey'),
      softwareVersion: own(fields, 'softwareVersion') === undefined ? '' : readString(fields, 'softwareVersion'),
    };
    if (Buffer.from(header.salt, 'base64').length !== SALT_BYTES) throw new SnapshotFileError('its header is damaged');
    return header;
  } catch {
    throw new SnapshotFileError('its header is damaged');
  }
}

/** What a header says of itself fits the key. @throws SnapshotFileError for one of another group or installation */
export function requireOwnHeader({ groupId, signingKey }: SnapshotHeader, key: SnapshotKey): void {
  if (groupId !== key.groupId) throw new SnapshotFileError(`it is of the gateway group "${groupId}", the snapshot key of "${key.groupId}"`);
  if (!timingSafeEqual(fingerprintOf(signingKey), key.fingerprint)) {
    throw new SnapshotFileError('it was signed by another installation than the snapshot key names');
  }
}
