import { sign } from 'node:crypto';
import type { JsonObject } from '../../lib/json.ts';
import { askForSecret, refusedBy } from './ask-for-secret.ts';
import { SecretError } from './secret-error.ts';
import { type ManagerSurroundings, optionalField, requiredField } from './secret-provider.ts';

const DEFAULT_TOKEN_URI = 'https://oauth2.googleapis.com/token';
const DEFAULT_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const ASSERTION_SECONDS = 3600;
/** A token is not used in its last minute. */
const SPARED_MS = 60_000;
const MAX_KEPT = 16;

/** Access tokens of Google's service accounts, by a signed assertion (RFC 7523), kept until they are about to end. */
export class GoogleAccessTokens {
  readonly #surroundings: ManagerSurroundings;
  readonly #kept = new Map<string, { readonly token: string; readonly untilMs: number }>();

  constructor(surroundings: ManagerSurroundings) {
    this.#surroundings = surroundings;
  }

  /** @throws SecretError */
  async tokenOf(account: JsonObject, verifyTls: boolean): Promise<string> {
    const key = JSON.stringify(account);
    const known = this.#kept.get(key);
    if (known !== undefined && this.#surroundings.nowMs() < known.untilMs) return known.token;
    const { token, seconds } = await this.#ask(account, verifyTls);
    this.#kept.delete(key);
    this.#kept.set(key, { token, untilMs: this.#surroundings.nowMs() + seconds * 1000 - SPARED_MS });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return token;
  }

  async #ask(account: JsonObject, verifyTls: boolean): Promise<{ readonly token: string; readonly seconds: number }> {
    const { calls, nowMs } = this.#surroundings;
    const url = optionalField(account, 'token_uri') ?? DEFAULT_TOKEN_URI;
    const assertion = assertionOf(account, url, Math.floor(nowMs() / 1000));
    const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await askForSecret(calls, { method: 'POST', url, headers, body, verifyTls });
    // Nothing is said here about the secret itself.
    if (answer.status !== 200) throw new SecretError('failed', refusedBy("Google's token service", answer.status).message);
    const { expires_in, ...rest } = answer.body();
    return { token: requiredField(rest, 'access_token'), seconds: typeof expires_in === 'number' ? expires_in : 0 };
  }
}

function assertionOf(account: JsonObject, audience: string, nowSeconds: number): string {
  const claims = {
    iss: requiredField(account, 'client_email'),
    aud: audience,
    scope: scopeOf(account),
    iat: nowSeconds,
    exp: nowSeconds + ASSERTION_SECONDS,
  };
  const text = [{ alg: 'RS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  try {
    return `${text}.${sign('sha256', Buffer.from(text), requiredField(account, 'private_key')).toString('base64url')}`;
  } catch {
    throw new SecretError('failed', 'the private key of the provider cannot sign');
  }
}

function scopeOf({ scope }: JsonObject): string {
  if (typeof scope === 'string') return scope;
  return Array.isArray(scope) && scope.length > 0 ? scope.join(' ') : DEFAULT_SCOPE;
}
