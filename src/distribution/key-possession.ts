import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** What the proof of a `JoinRequest` says. */
export function joinStatement(tokenId: string, publicKey: string): string {
  return `portcullis join 1\n${tokenId}\n${keyDigest(publicKey)}\n`;
}

/** What the proof of a `RenewRequest` says. */
export function renewStatement(instanceId: string, publicKey: string): string {
  return `portcullis renew 1\n${instanceId}\n${keyDigest(publicKey)}\n`;
}

/** SHA-256 of a public key (SPKI as PEM), in hexadecimal. @throws Error when it is none */
export function keyDigest(publicKey: string): string {
  const key = readPublicKey(publicKey);
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** A signature over the statement, in base64, that only who has the private key (PKCS #8, PEM) can make. */
export function provePossession(privateKey: string, statement: string): string {
  const key = createPrivateKey(privateKey);
  return sign(digestOf(key), Buffer.from(statement), key).toString('base64');
}

/** Whether who made the proof has the private key of `publicKey` (EC P-256 or Ed25519; SPKI, PEM). @throws Error when that is no such key */
export function isPossessionProven(publicKey: string, statement: string, proof: string): boolean {
  const key = readPublicKey(publicKey);
  return verify(digestOf(key), Buffer.from(statement), key, Buffer.from(proof, 'base64'));
}

/** @throws Error for anything but EC P-256 and Ed25519 */
export function readPublicKey(text: string): KeyObject {
  // A private key's PEM would be taken for a public key too; none should ever be sent here.
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(text)) throw new Error('the public key is not in PEM form');
  const key = createPublicKey(text);
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (!isP256 && key.asymmetricKeyType !== 'ed25519') throw new Error('the public key must be EC P-256 or Ed25519');
  return key;
}

function digestOf(key: KeyObject): string | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}
