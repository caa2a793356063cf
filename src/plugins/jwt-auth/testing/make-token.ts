import { constants, createHmac, type KeyObject, sign } from 'node:crypto';
import { JWT_ALGORITHMS } from '../jwt-algorithms.ts';

/** Base64url of a text or of what JSON makes of anything else. */
export function encodePart(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** Signs as `algorithm` says, by the rules of RFC 7518 and RFC 8037. */
function signPart(input: string, algorithm: string, key: KeyObject | string): Buffer {
  const rules = JWT_ALGORITHMS.get(algorithm);
  if (rules === undefined) throw new TypeError(`no algorithm ${algorithm}`);
  if (rules.kind === 'hmac') return createHmac(rules.hash, key).update(input).digest();
  if (typeof key === 'string') throw new TypeError(`${algorithm} needs a private key`);
  const bytes = Buffer.from(input);
  switch (rules.kind) {
    case 'rsa':
      return sign(rules.hash, bytes, key);
    case 'rsa-pss':
      return sign(rules.hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
    case 'ecdsa':
      return sign(rules.hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
    case 'eddsa':
      return sign(null, bytes, key);
  }
}

export interface TokenOptions {
  /** In place of `{ typ: 'JWT', alg }`; a text is taken as it is. */
  readonly header?: unknown;
  readonly algorithm?: string;
  readonly key?: KeyObject | string;
}

/** A signed token; HS256 with the secret `right secret` unless said. */
export function makeToken(payload: unknown, options: TokenOptions = {}): string {
  const { algorithm = 'HS256', key = 'right secret', header = { typ: 'JWT', alg: algorithm } } = options;
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  return `${input}.${signPart(input, algorithm, key).toString('base64url')}`;
}
