import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { createTestCertificate } from '../../test-support/test-certificate.ts';
import { formatIssues, type ResourceKindName, resourceKind, validateDocument } from './index.ts';

const [own, other] = await Promise.all([createTestCertificate(), createTestCertificate()]);

function errorOf(kind: ResourceKindName, body: object): string {
  const validation = validateDocument(resourceKind(kind), body);
  return validation.ok ? '' : formatIssues(validation.issues);
}

test('a certificate is kept byte for byte, with blanks around it, a chain too', () => {
  const cert = `\n${own.cert}\n${other.cert}\n\n`;
  for (const [kind, body] of [
    ['ssl', { snis: ['a.example'], ...own, cert }],
    ['certificate', { ...own, cert }],
    ['ca_certificate', { cert }],
  ] as const) {
    const validation = validateDocument(resourceKind(kind), body);
    assert.ok(validation.ok);
    assert.equal(validation.document.cert, cert);
  }
});

test('a text that is no certificate or no private key is refused at its place, and nothing of it is repeated', () => {
  const broken = own.cert.replace(/[A-Za-z0-9]{60}/, 'A'.repeat(60));
  for (const cert of ['x', own.key, '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', broken, `${own.cert}\n${broken}`]) {
    assert.equal(errorOf('certificate', { ...own, cert }), 'Error at "/cert": value must be a certificate in PEM form');
    assert.equal(errorOf('ca_certificate', { cert }), 'Error at "/cert": value must be a certificate in PEM form');
  }
  for (const key of ['not-a-key', own.cert, own.key.replace(/[A-Za-z0-9]{40}/, 'A'.repeat(40))])
    assert.equal(errorOf('certificate', { ...own, key }), 'Error at "/key": value must be a private key in PEM form');
});

test('a key must be that of its certificate, at every place', () => {
  const foreign = 'the private key does not belong to the certificate';
  const snis = ['a.example'];
  assert.equal(errorOf('certificate', { cert: own.cert, key: other.key }), `Error at "/key": ${foreign}`);
  assert.equal(errorOf('ssl', { snis, ...own, certs: [other.cert], keys: [own.key] }), `Error at "/keys/0": ${foreign}`);
  assert.equal(errorOf('ssl', { snis, ...own, certs: [other.cert], keys: [other.key] }), '');
  assert.equal(errorOf('ssl', { snis, certs: [other.cert], keys: [other.key] }), '');
});

test('a certificate whose RSA key TLS would refuse is refused at its place, and an authority with one has a warning', async () => {
  const authority = await TestAuthority.create();
  const short = await authority.issue({ keyType: 'rsa', rsaBits: 1024 });
  const message = 'the RSA key has 1024 bits, and TLS refuses less than 2048: issue the certificate for a longer key';
  assert.equal(errorOf('certificate', short), `Error at "/cert": ${message}`);
  const snis = ['a.example'];
  assert.equal(errorOf('ssl', { snis, ...own, certs: [short.cert], keys: [short.key] }), `Error at "/certs/0": ${message}`);
  assert.equal(errorOf('ssl', { snis, ...short, key: '$env://TLS_KEY' }), `Error at "/cert": ${message}`);
  assert.equal(errorOf('ssl', { snis, ...(await authority.issue({ keyType: 'rsa' })) }), '');
  assert.equal(errorOf('ca_certificate', { cert: short.cert }), '');
  assert.match(resourceKind('ca_certificate').warnings({ cert: short.cert }, Date.now()).join(), /less than 2048 bits/);
});

test('a private key behind a passphrase is refused as such', () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
  });
  assert.match(errorOf('certificate', { ...own, key: privateKey }), /must not be encrypted with a passphrase/);
});

test('an SSL object has a name for its server, as many keys as certificates, and none of both missing', () => {
  const snis = ['a.example'];
  const cases: readonly (readonly [object, string])[] = [
    [own, 'Error at "/snis": property "snis" is missing'],
    [{ ...own, type: 'client' }, ''],
    [{ snis, cert: own.cert }, 'Error at "/key": property "key" is missing'],
    [{ snis, key: own.key }, 'Error at "/cert": property "cert" is missing'],
    [{ snis }, 'Error at "/cert": property "cert" is missing; Error at "/key": property "key" is missing'],
    [{ snis, ...own, certs: [other.cert] }, 'Error at "/keys": there must be as many keys as certs'],
    [{ snis, ...own, client: {} }, 'Error at "/client/ca": property "ca" is missing'],
    [{ snis, ...own, client: { ca: 'x' } }, 'Error at "/client/ca": value must be a certificate in PEM form'],
    [{ snis: ['a/b'], ...own }, 'Error at "/snis/0": string doesn\'t match the regular expression "^\\*?[0-9a-zA-Z-._]+$"'],
  ];
  for (const [body, error] of cases) assert.equal(errorOf('ssl', body), error);
});

test('keys and certificates may be kept elsewhere, behind well-formed references', () => {
  assert.equal(errorOf('certificate', { cert: '$secret://vault/1/tls/cert', key: '$env://TLS_KEY' }), '');
  assert.equal(errorOf('certificate', { ...own, key: '$secret://vault/1/tls/key' }), '');
  assert.match(errorOf('certificate', { ...own, key: '$secret://vault' }), /^Error at "\/key": a secret reference has the form/);
  const { present, secretPointers } = resourceKind('certificate');
  const body = { cert: own.cert, key: '$env://TLS_KEY' };
  assert.deepEqual(secretPointers(body), []);
  assert.equal(present(body, 'c').key, '$env://TLS_KEY');
});

test('answers hold no private key, and tell from when to when a certificate holds', () => {
  const ssl = resourceKind('ssl');
  const body = { snis: ['a.example'], ...own, certs: [other.cert], keys: [other.key] };
  assert.deepEqual(ssl.secretPointers(body), ['/key', '/keys/0']);
  const shown = ssl.present(body, 'x');
  assert.ok(!JSON.stringify(shown).includes('PRIVATE KEY'));
  assert.deepEqual([shown.id, shown.cert, shown.certs], ['x', own.cert, [other.cert]]);
  assert.equal(Number(shown.validity_end) - Number(shown.validity_start), 86_460);
  assert.equal(shown.exptime, shown.validity_end);
});

test('a certificate that has expired, is not valid yet, or is none of an authority is accepted with a warning', () => {
  const now = Date.now();
  const warnings = (kind: ResourceKindName, body: object, nowMs?: number) =>
    resourceKind(kind)
      .warnings({ ...body }, nowMs)
      .join('; ');
  assert.match(warnings('certificate', own, now + 10 * 86_400_000), /\/cert has expired/);
  assert.match(warnings('ssl', { snis: ['a'], ...own }, now - 10 * 86_400_000), /\/cert is not valid yet/);
  assert.doesNotMatch(warnings('certificate', own, now), /expired|not valid/);
  assert.doesNotMatch(warnings('certificate', own), /expired|not valid/);
  assert.match(warnings('ca_certificate', { cert: own.cert }, now), /not the certificate of an authority/);
});
