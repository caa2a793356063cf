import { hash } from 'node:crypto';
import { equalInConstantTime } from '../../lib/equal-in-constant-time.ts';

const RANDOM_BYTES = 16;

/** A new token: base64 of JSON with a random text, the second in which it was made, and a signature of both (APISIX's form). */
export function makeToken(key: string, nowSeconds: number, randomBytes: (length: number) => Buffer): string {
  const random = randomBytes(RANDOM_BYTES).toString('hex');
  return Buffer.from(JSON.stringify({ random, expires: nowSeconds, sign: signatureOf(random, nowSeconds, key) })).toString('base64');
}

/** Whether the token was made with this key and is not older than `maxAgeSeconds`; 0 for any age. */
export function isGoodToken(token: string, key: string, nowSeconds: number, maxAgeSeconds: number): boolean {
  const parts = readToken(token);
  if (parts === undefined) return false;
  if (maxAgeSeconds > 0 && nowSeconds - parts.madeAtSeconds > maxAgeSeconds) return false;
  return equalInConstantTime(parts.signature, signatureOf(parts.random, parts.madeAtSeconds, key));
}

interface TokenParts {
  readonly random: string | number;
  readonly madeAtSeconds: number;
  readonly signature: string;
}

function readToken(token: string): TokenParts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { random, expires, sign }: { random?: unknown; expires?: unknown; sign?: unknown } = value;
  if ((typeof random !== 'string' && typeof random !== 'number') || typeof expires !== 'number' || typeof sign !== 'string')
    return undefined;
  return { random, madeAtSeconds: expires, signature: sign };
}

function signatureOf(random: string | number, madeAtSeconds: number, key: string): string {
  return hash('sha256', `{expires:${madeAtSeconds},random:${random},key:${key}}`, 'hex');
}
