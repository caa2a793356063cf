import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { createSigningKey, PayloadDigest, type SignedStatement, Signer, Verifier } from './signing.ts';

const STATEMENT: SignedStatement = {
  groupId: 'default',
  kind: 'delta',
  fromRevision: 1,
  toRevision: 2,
  count: 1,
  payloadDigest: new PayloadDigest().add('[{}]').finish(),
};

describe('signatures over configuration', () => {
  test('a signature holds for exactly the statement that was signed', () => {
    const signer = new Signer(createSigningKey());
    const verifier = new Verifier(signer.publicKey);
    const signature = signer.sign(STATEMENT);
    assert.equal(verifier.isGenuine(STATEMENT, signature), true);
    const others: readonly Partial<SignedStatement>[] = [
      { groupId: 'other' },
      { kind: 'snapshot' },
      { fromRevision: 0 },
      { toRevision: 3 },
      { count: 2 },
      { payloadDigest: new PayloadDigest().add('[{} ]').finish() },
    ];
    for (const other of others) assert.equal(verifier.isGenuine({ ...STATEMENT, ...other }, signature), false);
  });

  test('a signature by another key, a cut one and none at all are not genuine', () => {
    const signer = new Signer(createSigningKey());
    const verifier = new Verifier(signer.publicKey);
    const signature = signer.sign(STATEMENT);
    assert.equal(verifier.isGenuine(STATEMENT, new Signer(createSigningKey()).sign(STATEMENT)), false);
    assert.equal(verifier.isGenuine(STATEMENT, signature.slice(0, 40)), false);
    assert.equal(verifier.isGenuine(STATEMENT, ''), false);
  });

  test('moving bytes from one payload to the next changes the digest', () => {
    const one = new PayloadDigest().add('[1]').add('[2]').finish();
    const other = new PayloadDigest().add('[1][').add('2]').finish();
    assert.notDeepEqual(one, other);
  });

  test('only Ed25519 keys sign and verify', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    assert.throws(() => new Signer(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()), /Ed25519/);
    assert.throws(() => new Verifier(publicKey.export({ type: 'spki', format: 'der' }).toString('base64')), /Ed25519/);
    assert.throws(() => new Verifier('nonsense'));
  });
});
