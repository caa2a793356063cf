import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type Hash, type KeyObject, sign, verify } from 'node:crypto';

/** What a signature speaks for. Snapshots start at revision 0. */
export interface SignedStatement {
  readonly groupId: string;
  /** `export`: all of a file, header and records, which the digest is of. */
  readonly kind: 'snapshot' | 'delta' | 'export';
  readonly fromRevision: number;
  readonly toRevision: number;
  /** How many items or changes all payloads hold together. */
  readonly count: number;
  /** SHA-256 over all payloads, from `PayloadDigest`. */
  readonly payloadDigest: Buffer;
}

/** Takes in payloads one by one, so that a snapshot is never in memory as a whole. Where one ends and the next begins counts too. */
export class PayloadDigest {
  readonly #hash: Hash = createHash('sha256');

  add(payload: string): this {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(Buffer.byteLength(payload), 0);
    this.#hash.update(length).update(payload, 'utf8');
    return this;
  }

  /** The digest; nothing can be added afterwards. */
  finish(): Buffer {
    return this.#hash.digest();
  }
}

/**
 * The bytes that are signed. Every field stands in its own line, the group as JSON, so no two statements give the same bytes; the
 * first line keeps a signature made here from meaning anything elsewhere.
 */
function signedBytes(statement: SignedStatement): Buffer {
  return Buffer.from(
    [
      'portcullis-configuration-1',
      JSON.stringify(statement.groupId),
      statement.kind,
      statement.fromRevision,
      statement.toRevision,
      statement.count,
      statement.payloadDigest.toString('hex'),
    ].join('\n'),
  );
}

/** Makes the Ed25519 key (PKCS #8, PEM) by which the control planes of an installation sign what they publish. */
export function createSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The half of the key that only control planes hold. */
export class Signer {
  readonly #privateKey: KeyObject;
  /** Base64 of the SPKI, as `welcome` carries it. */
  readonly publicKey: string;

  /** @throws Error when the PEM is no Ed25519 private key */
  constructor(privateKeyPem: string) {
    this.#privateKey = createPrivateKey(privateKeyPem);
    if (this.#privateKey.asymmetricKeyType !== 'ed25519') throw new Error('the signing key is not an Ed25519 key');
    this.publicKey = createPublicKey(this.#privateKey).export({ type: 'spki', format: 'der' }).toString('base64');
  }

  /** The signature in base64. */
  sign(statement: SignedStatement): string {
    return sign(null, signedBytes(statement), this.#privateKey).toString('base64');
  }
}

/** The half that gateways hold. */
export class Verifier {
  readonly #publicKey: KeyObject;

  /** @throws Error when the text is not base64 of an Ed25519 SPKI */
  constructor(publicKey: string) {
    this.#publicKey = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    if (this.#publicKey.asymmetricKeyType !== 'ed25519') throw new Error('the signing key is not an Ed25519 key');
  }

  isGenuine(statement: SignedStatement, signature: string): boolean {
    return verify(null, signedBytes(statement), this.#publicKey, Buffer.from(signature, 'base64'));
  }
}
