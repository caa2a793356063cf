import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { decodeBase64 } from '../../lib/strict-base64.ts';
import type { CredentialMatch, JsonObject, RequestView } from '../../plugin-kit/index.ts';
import { HMAC_ALGORITHMS, type HmacAlgorithm } from './hmac-algorithms.ts';
import { parseHttpDate } from './parse-http-date.ts';
import type { SignatureHeader } from './read-signature-header.ts';
import { hmacAuthSchema } from './schema.ts';
import { signingString } from './signing-string.ts';

/** What a request must keep to. */
export interface SignatureRules {
  readonly allowedAlgorithms: ReadonlySet<string>;
  readonly clockSkewS: number;
  readonly signedHeaders: readonly string[];
  readonly expiryClock: Pick<Clock, 'nowMs'>;
}

/** Who signed a request, or why it does not count as signed: for the log, the client does not learn it. */
export type Verdict =
  | { readonly kind: 'signed'; readonly credential: CredentialMatch }
  | { readonly kind: 'invalid'; readonly problem: string };

/** Verifies the signature of a request, in APISIX's order of checks. */
export function verifyRequest(request: RequestView, claimed: SignatureHeader, rules: SignatureRules): Verdict {
  const { keyId, algorithm, signature } = claimed;
  if (keyId === undefined || signature === undefined) return invalid('keyId or signature missing');
  if (algorithm === undefined) return invalid('algorithm missing');
  const credential = request.findCredential(hmacAuthSchema.name, keyId);
  if (credential === undefined) return invalid('Invalid key_id');
  if (!isAllowed(algorithm, rules)) return invalid('Invalid algorithm');
  const dateProblem = findDateProblem(request.header('date'), rules);
  if (dateProblem !== undefined) return invalid(dateProblem);
  const unsigned = rules.signedHeaders.find((name) => !claimed.headers.includes(name));
  if (unsigned !== undefined) return invalid(`expected header "${unsigned}" missing in signing`);
  const text = signingString(request, keyId, claimed.headers);
  return isSignature(signature, algorithm, credential, text) ? { kind: 'signed', credential } : invalid('Invalid signature');
}

function invalid(problem: string): Verdict {
  return { kind: 'invalid', problem };
}

function isAllowed(algorithm: string, { allowedAlgorithms }: SignatureRules): algorithm is HmacAlgorithm {
  return allowedAlgorithms.has(algorithm);
}

function findDateProblem(date: string | undefined, { expiryClock, clockSkewS }: SignatureRules): string | undefined {
  if (date === undefined) return 'Date header missing. failed to validate clock skew';
  const sentAtS = parseHttpDate(date);
  if (sentAtS === undefined) return 'Invalid GMT format time';
  return Math.abs(Math.floor(expiryClock.nowMs() / 1000) - sentAtS) > clockSkewS ? 'Clock skew exceeded' : undefined;
}

function isSignature(signature: string, algorithm: HmacAlgorithm, credential: CredentialMatch, text: string): boolean {
  const hash = HMAC_ALGORITHMS.get(algorithm);
  const key = credential.prepared(importSecret);
  const presented = decodeBase64(signature);
  if (hash === undefined || key === undefined || presented === undefined) return false;
  const expected = createHmac(hash, key).update(text, 'latin1').digest();
  return presented.length === expected.length && timingSafeEqual(presented, expected);
}

/** Undefined without a secret: everybody could sign with an empty one. */
function importSecret({ secret_key }: JsonObject): KeyObject | undefined {
  return typeof secret_key === 'string' && secret_key !== '' ? createSecretKey(Buffer.from(secret_key, 'utf8')) : undefined;
}
