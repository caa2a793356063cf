import { isUtf8 } from 'node:buffer';
import { decodeBase64Url } from '../../lib/strict-base64.ts';
import type { JsonObject } from '../../plugin-kit/index.ts';

/** A token whose form is right; nothing about it has been verified. */
export interface ParsedToken {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  /** What the signature is over, as a byte string. */
  readonly signingInput: string;
  readonly signature: Buffer;
}

/** Longer than any token that fits through other servers' limits on a header. */
const MAX_TOKEN_BYTES = 16_384;

/**
 * Takes a signed token in compact form apart (RFC 7515 §7.1): three parts in base64url, of which the first two are JSON objects in
 * UTF-8. Undefined for everything else, for encrypted tokens and for those above 16 KiB. Of equal members of an object the last one counts.
 */
export function parseToken(token: string): ParsedToken | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined;
  const payloadStart = token.indexOf('.') + 1;
  const signatureStart = token.indexOf('.', payloadStart) + 1;
  if (payloadStart === 0 || signatureStart === 0) return undefined;
  const header = parseObject(token.slice(0, payloadStart - 1));
  const payload = header && parseObject(token.slice(payloadStart, signatureStart - 1));
  // A further dot is no character of base64url.
  const signature = payload && decodeBase64Url(token.slice(signatureStart));
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  return { header, payload, signingInput: token.slice(0, signatureStart - 1), signature };
}

function parseObject(encoded: string): JsonObject | undefined {
  const bytes = decodeBase64Url(encoded);
  if (bytes === undefined || !isUtf8(bytes)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What `JSON.parse` gives is JSON, and `__proto__` is an ordinary member of it. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
