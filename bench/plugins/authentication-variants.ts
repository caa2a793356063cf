import { createHmac } from 'node:crypto';

/** A way to say who calls, in place of key-auth. */
export interface AuthenticationVariant {
  readonly plugins: Readonly<Record<string, object>>;
  /** What the caller's credential holds; undefined where the keys of the run are presented. */
  readonly credential: Readonly<Record<string, object>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Longer than any run: the requests are made once. */
const LIFETIME_SECONDS = 24 * 60 * 60;

/** One caller by each plugin that authenticates; `pathOf` tells what a variant's requests ask for. The secrets live as long as the run. */
export function authenticationVariants(
  secret: string,
  nowMs: number,
  pathOf: (name: string) => string,
): ReadonlyMap<string, AuthenticationVariant> {
  return new Map<string, AuthenticationVariant>([
    [
      'basic-auth',
      {
        plugins: { 'basic-auth': {} },
        credential: { 'basic-auth': { username: 'bench-basic', password: secret } },
        headers: { Authorization: `Basic ${Buffer.from(`bench-basic:${secret}`).toString('base64')}` },
      },
    ],
    [
      'jwt-auth',
      {
        plugins: { 'jwt-auth': {} },
        credential: { 'jwt-auth': { key: 'bench-jwt', secret } },
        headers: { Authorization: token({ key: 'bench-jwt', exp: Math.floor(nowMs / 1000) + LIFETIME_SECONDS }, secret) },
      },
    ],
    [
      'hmac-auth',
      {
        plugins: { 'hmac-auth': { clock_skew: LIFETIME_SECONDS } },
        credential: { 'hmac-auth': { key_id: 'bench-hmac', secret_key: secret } },
        headers: signature('bench-hmac', secret, pathOf('hmac-auth'), nowMs),
      },
    ],
    [
      'multi-auth',
      {
        plugins: { 'multi-auth': { auth_plugins: [{ 'basic-auth': {} }, { 'key-auth': { header: 'apikey' } }] } },
        credential: undefined,
        headers: {},
      },
    ],
  ]);
}

function token(claims: object, secret: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function signature(keyID: string, secret: string, path: string, nowMs: number): Readonly<Record<string, string>> {
  const date = new Date(nowMs).toUTCString();
  const signed = createHmac('sha256', secret).update(`${keyID}\nGET ${path}\ndate: ${date}\n`).digest('base64');
  const fields = `keyId="${keyID}",algorithm="hmac-sha256",headers="@request-target date",signature="${signed}"`;
  return { Date: date, Authorization: `Signature ${fields}` };
}
