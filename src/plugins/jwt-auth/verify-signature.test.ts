import assert from 'node:assert/strict';
import { constants, createHmac, sign } from 'node:crypto';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { parseToken } from './parse-token.ts';
import { curvePair, ed448Pair, ed25519Pair, type KeyPair, rsaPair, rsaPssPair } from './testing/key-pairs.ts';
import { encodePart, makeToken } from './testing/make-token.ts';
import { importVerificationKey } from './verification-key.ts';
import { verifySignature } from './verify-signature.ts';

const RSA = rsaPair();
const CURVES: ReadonlyMap<string, KeyPair> = new Map([
  ['ES256', curvePair('prime256v1')],
  ['ES384', curvePair('secp384r1')],
  ['ES512', curvePair('secp521r1')],
]);
const ED25519 = ed25519Pair();
const SECRET = 'right secret';
const HMACS = ['HS256', 'HS384', 'HS512'];
const PUBLIC_KEYS: ReadonlyMap<string, KeyPair> = new Map([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((name) => [name, RSA] as const),
  ...CURVES,
  ['EdDSA', ED25519],
]);

function verifies(token: string, data: JsonObject): boolean {
  return verifySignature(parseToken(token) ?? assert.fail('no token'), importVerificationKey(data));
}

const shared = (algorithm: string, secret = SECRET): JsonObject => ({ algorithm, secret });
const dataOf = (algorithm: string): JsonObject =>
  HMACS.includes(algorithm) ? shared(algorithm) : { algorithm, public_key: PUBLIC_KEYS.get(algorithm)?.pem ?? '' };
const keyOf = (algorithm: string) => PUBLIC_KEYS.get(algorithm)?.privateKey ?? SECRET;
const signed = (algorithm: string, payload: JsonObject = { key: 'k' }): string => makeToken(payload, { algorithm, key: keyOf(algorithm) });
const ALL = [...HMACS, ...PUBLIC_KEYS.keys()];

/** A token with another signature. */
function withSignature(token: string, change: (signature: Buffer) => Buffer): string {
  const end = token.lastIndexOf('.') + 1;
  return token.slice(0, end) + change(Buffer.from(token.slice(end), 'base64url')).toString('base64url');
}

for (const algorithm of ALL) {
  test(`${algorithm}: what the owner of the key signed is verified, and nothing else`, () => {
    const token = signed(algorithm);
    assert.ok(verifies(token, dataOf(algorithm)));
    const other = signed(algorithm, { key: 'k', admin: true });
    const swapped = [...other.split('.').slice(0, 2), token.split('.')[2]].join('.');
    assert.ok(!verifies(swapped, dataOf(algorithm)));
    assert.ok(!verifies(`${token.slice(0, token.lastIndexOf('.'))}.`, dataOf(algorithm)));
    const changes: readonly ((signature: Buffer) => Buffer)[] = [
      (signature) => signature.subarray(0, -1),
      (signature) => signature.subarray(1),
      (signature) => signature.subarray(0, 16),
      (signature) => signature.subarray(0, 1),
      (signature) => Buffer.concat([signature, Buffer.alloc(1)]),
      (signature) => Buffer.concat([Buffer.alloc(1), signature]),
      (signature) => Buffer.alloc(signature.length),
      (signature) => Buffer.alloc(signature.length, 0xff),
      (signature) => Buffer.from(signature.map((byte, index) => (index === 0 ? byte ^ 1 : byte))),
      (signature) => Buffer.from(signature.map((byte, index) => (index === signature.length - 1 ? byte ^ 0x80 : byte))),
    ];
    for (const change of changes) assert.ok(!verifies(withSignature(token, change), dataOf(algorithm)));
  });
}

test('a signature that fits counts only under the algorithm of its credential', () => {
  for (const credential of ALL) {
    for (const claimed of ALL)
      assert.equal(verifies(signed(claimed), dataOf(credential)), claimed === credential, `${claimed} for ${credential}`);
  }
});

test('the algorithm is compared exactly', () => {
  for (const alg of ['hs256', 'HS256 ', 'Hs256', 'SHA256', '', 'HS', null, 256, true, ['HS256'], { name: 'HS256' }]) {
    assert.ok(!verifies(makeToken({ key: 'k' }, { header: { alg } }), shared('HS256')));
  }
  assert.ok(!verifies(makeToken({ key: 'k' }, { header: { typ: 'JWT' } }), shared('HS256')));
});

test('an unsigned token is never verified', () => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
    const unsigned = `${encodePart({ alg, typ: 'JWT' })}.${encodePart({ key: 'k' })}.`;
    for (const credential of ALL) assert.ok(!verifies(unsigned, dataOf(credential)));
    assert.throws(() => importVerificationKey({ algorithm: alg, secret: SECRET }), TypeError);
  }
});

test('a public key is never taken for a shared secret', () => {
  for (const [name, { pem, publicKey }] of PUBLIC_KEYS) {
    const der = publicKey.export({ type: 'spki', format: 'der' }).toString('latin1');
    for (const secret of [pem, pem.trim(), `${pem}\n`, der]) {
      for (const alg of HMACS) {
        assert.ok(!verifies(makeToken({ key: 'k' }, { algorithm: alg, key: secret }), dataOf(name)));
        const confused = makeToken({ key: 'k' }, { algorithm: alg, key: secret, header: { alg: name } });
        assert.ok(!verifies(confused, dataOf(name)));
      }
    }
  }
});

test('a token that declares critical extensions is not verified', () => {
  for (const header of [{ crit: ['b64'], b64: false }, { crit: [] }, { crit: ['exp'], exp: 1 }, { crit: null }]) {
    assert.ok(!verifies(makeToken({ key: 'k' }, { header: { alg: 'HS256', ...header } }), shared('HS256')));
  }
});

test('keys that a token brings along are not looked at', () => {
  const own = rsaPair();
  const jwk = own.publicKey.export({ format: 'jwk' });
  for (const header of [{ jwk }, { x5c: [own.pem] }, { jku: 'http://127.0.0.1/keys' }, { kid: '../../dev/null' }]) {
    const token = makeToken({ key: 'k' }, { algorithm: 'RS256', key: own.privateKey, header: { alg: 'RS256', ...header } });
    assert.ok(!verifies(token, dataOf('RS256')));
  }
});

test('ECDSA signatures are raw and as long as their curve says', () => {
  for (const [name, { privateKey }] of CURVES) {
    const input = `${encodePart({ alg: name })}.${encodePart({ key: 'k' })}`;
    const hash = `sha${name.slice(2)}`;
    const der = sign(hash, Buffer.from(input), privateKey);
    assert.ok(!verifies(`${input}.${der.toString('base64url')}`, dataOf(name)));
    const raw = sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    assert.equal(raw.length, { ES256: 64, ES384: 96, ES512: 132 }[name]);
    assert.ok(verifies(`${input}.${raw.toString('base64url')}`, dataOf(name)));
  }
});

test('r and s of zero, and r and s beyond the order, verify nothing', () => {
  for (const name of CURVES.keys()) {
    for (const fill of [0x00, 0x01, 0xff]) {
      assert.ok(
        !verifies(
          withSignature(signed(name), (signature) => Buffer.alloc(signature.length, fill)),
          dataOf(name),
        ),
      );
    }
  }
});

test('PSS takes any length of salt, PKCS #1 signatures are not taken for it, nor the other way round', () => {
  const input = `${encodePart({ alg: 'PS256' })}.${encodePart({ key: 'k' })}`;
  for (const saltLength of [0, 20, 32, 222]) {
    const signature = sign('sha256', Buffer.from(input), { key: RSA.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    assert.ok(verifies(`${input}.${signature.toString('base64url')}`, dataOf('PS256')));
  }
  for (const [claimed, used] of [
    ['PS256', 'RS256'],
    ['RS256', 'PS256'],
  ] as const) {
    // biome-ignore format: pairs
    const token = makeToken({ key: 'k' }, { algorithm: used, key: RSA.privateKey, header: { alg: claimed } });
    assert.ok(!verifies(token, dataOf(claimed)));
  }
});

test('a PSS signature that begins with a zero does not count without it', () => {
  for (let round = 0; round < 20_000; round++) {
    const token = signed('PS256');
    const signature = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url');
    if (signature[0] !== 0) continue;
    assert.ok(verifies(token, dataOf('PS256')));
    assert.ok(
      !verifies(
        withSignature(token, () => signature.subarray(1)),
        dataOf('PS256'),
      ),
    );
    return;
  }
  assert.fail('no signature began with a zero');
});

test('longer RSA keys, keys for PSS alone and Ed448 work as well', () => {
  const long = rsaPair(3072);
  for (const algorithm of ['RS256', 'PS384']) {
    assert.ok(verifies(makeToken({ key: 'k' }, { algorithm, key: long.privateKey }), { algorithm, public_key: long.pem }));
  }
  const pss = rsaPssPair('sha256');
  assert.ok(verifies(makeToken({ key: 'k' }, { algorithm: 'PS256', key: pss.privateKey }), { algorithm: 'PS256', public_key: pss.pem }));
  const ed448 = ed448Pair();
  assert.ok(
    verifies(makeToken({ key: 'k' }, { algorithm: 'EdDSA', key: ed448.privateKey }), { algorithm: 'EdDSA', public_key: ed448.pem }),
  );
});

test('the example of RFC 7515, appendix A.1, is verified', () => {
  const token =
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  const secret = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';
  const base64 = Buffer.from(secret, 'base64url').toString('base64');
  assert.ok(verifies(token, { algorithm: 'HS256', secret: base64, base64_secret: true }));
  assert.ok(!verifies(token, { algorithm: 'HS256', secret: base64, base64_secret: false }));
});

test('the example of RFC 7515, appendix A.3, is verified', () => {
  const x = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU';
  const y = 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0';
  const point = `${Buffer.from(x, 'base64url').toString('hex')}${Buffer.from(y, 'base64url').toString('hex')}`;
  const spki = Buffer.from(`3059301306072a8648ce3d020106082a8648ce3d03010703420004${point}`, 'hex').toString('base64');
  const pem = `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`;
  const token =
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';
  assert.ok(verifies(token, { algorithm: 'ES256', public_key: pem }));
});

test('secrets are UTF-8, or the bytes that base64 says', () => {
  const text = 'gehe\u00efm \u5bc6';
  assert.ok(verifies(makeToken({ key: 'k' }, { key: text }), shared('HS256', text)));
  const bytes = Buffer.from([0, 255, 128, 10]);
  const input = `${encodePart({ alg: 'HS256' })}.${encodePart({ key: 'k' })}`;
  const token = `${input}.${createHmac('sha256', bytes).update(input).digest('base64url')}`;
  assert.ok(verifies(token, { algorithm: 'HS256', secret: bytes.toString('base64'), base64_secret: true }));
});

test('a credential whose key is of no use cannot be imported', () => {
  const useless: readonly JsonObject[] = [
    {},
    { algorithm: 'HS256' },
    { algorithm: 'HS256', secret: '' },
    { algorithm: 'HS256', secret: 1 },
    { algorithm: 'HS256', secret: '***', base64_secret: true },
    { algorithm: 'XS256', secret: SECRET },
    { algorithm: 'constructor', secret: SECRET },
    { algorithm: 'RS256' },
    { algorithm: 'RS256', secret: SECRET },
    { algorithm: 'RS256', public_key: 'x' },
    { algorithm: 'ES256', public_key: RSA.pem },
  ];
  for (const data of useless) assert.throws(() => importVerificationKey(data), TypeError);
});
