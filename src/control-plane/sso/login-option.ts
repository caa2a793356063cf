import type { JsonObject } from '../../lib/json.ts';
import { compileValidator, type Issue, Type } from '../../schema/index.ts';
import type { StoredRecord, StoreReader } from '../../store/index.ts';

/** How login options are called in the store. */
export const LOGIN_OPTION_KIND = 'login_option';

/** Stands in answers for a secret that is kept; sent back, it leaves the secret as it is. */
export const MASK = '********';

/** What a claim's value gives whoever has it. */
export interface ClaimMapping {
  /** Name of the claim; dots lead into objects (`realm_access.roles`). */
  readonly claim: string;
  /** The claim itself, or one of its elements, must be this text. */
  readonly value: string;
}

/** An identity provider at which users may sign in by OpenID Connect. */
export interface LoginOption {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly isEnabled: boolean;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined where it was not asked for, and for a public client. */
  readonly clientSecret: string | undefined;
  /** Origin at which browsers reach this Admin API; the provider sends them back there. */
  readonly publicUrl: string;
  readonly scopes: readonly string[];
  readonly usernameClaim: string;
  /** Empty: roles are assigned by hand. Otherwise they are those of the claims, at every sign-in. */
  readonly roleMapping: readonly (ClaimMapping & { readonly roles: readonly string[] })[];
  readonly boundaryMapping: readonly (ClaimMapping & { readonly permission_policies: readonly string[] })[];
}

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const ids = Type.Array(text(256), { minItems: 1, maxItems: 100 });
const claimFields = { claim: text(256), value: text(1_024) } as const;

/** The body of a login option. */
export const validateLoginOption = compileValidator(
  Type.Object({
    name: text(100),
    provider: Type.Unsafe<'oidc'>({ type: 'string', enum: ['oidc'] }),
    enabled: Type.Optional(Type.Boolean()),
    issuer: text(1_024),
    client_id: text(256),
    client_secret: Type.Optional(text(1_024)),
    public_url: text(1_024),
    scopes: Type.Optional(Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$', maxLength: 256 }), { maxItems: 20 })),
    username_claim: Type.Optional(text(256)),
    role_mapping: Type.Optional(Type.Array(Type.Object({ ...claimFields, roles: ids }), { maxItems: 200 })),
    permission_boundary_mapping: Type.Optional(Type.Array(Type.Object({ ...claimFields, permission_policies: ids }), { maxItems: 200 })),
  }),
);

type LoginOptionBody = Extract<ReturnType<typeof validateLoginOption>, { ok: true }>['value'];

/** What a schema cannot say of the two addresses. */
export function checkAddresses({ issuer, public_url: publicUrl }: Pick<LoginOptionBody, 'issuer' | 'public_url'>): readonly Issue[] {
  const issues: Issue[] = [];
  const at = URL.parse(issuer);
  // Without TLS only on this machine: whoever sits in between could sign in as anybody.
  const isProtected = at?.protocol === 'https:' || (at?.protocol === 'http:' && isLoopback(at.hostname));
  if (at === null || !isProtected || at.search !== '' || at.hash !== '' || at.username !== '') {
    issues.push({ pointer: '/issuer', message: 'value must be an https URL without query' });
  }
  const own = URL.parse(publicUrl);
  if (own?.protocol !== 'https:' || own.origin !== publicUrl.replace(/\/$/, '')) {
    issues.push({
      pointer: '/public_url',
      message: 'value must be the https origin of this Admin API, e.g. https://gateway.example.com:7443',
    });
  }
  return issues;
}

/** The document that is kept of a body. */
export function documentOf(body: LoginOptionBody): JsonObject {
  const { name: _, public_url: publicUrl, scopes = ['openid', 'profile', 'email'], ...rest } = body;
  const { enabled = true, username_claim: usernameClaim = 'preferred_username', ...others } = rest;
  return {
    ...others,
    enabled,
    public_url: publicUrl.replace(/\/$/, ''),
    scopes: [...new Set(['openid', ...scopes])],
    username_claim: usernameClaim,
  };
}

/** One login option, with its secret where that is asked for. */
export async function findLoginOption(
  store: Pick<StoreReader, 'getRecord'>,
  id: string,
  options: { readonly secrets?: boolean } = {},
): Promise<LoginOption | undefined> {
  const record = await store.getRecord(LOGIN_OPTION_KIND, id, options);
  return record && loginOptionOf(record);
}

/** What a record says. */
export function loginOptionOf({ id, name = '', version, document }: StoredRecord): LoginOption {
  // Written by `documentOf`.
  const kept = document as unknown as LoginOptionBody & Required<Pick<LoginOptionBody, 'enabled' | 'scopes' | 'username_claim'>>;
  return {
    id,
    name,
    version,
    isEnabled: kept.enabled,
    issuer: kept.issuer,
    clientId: kept.client_id,
    clientSecret: kept.client_secret,
    publicUrl: kept.public_url,
    scopes: kept.scopes,
    usernameClaim: kept.username_claim,
    roleMapping: kept.role_mapping ?? [],
    boundaryMapping: kept.permission_boundary_mapping ?? [],
  };
}

/** Where the provider sends browsers back to; it must be registered there. */
export function redirectUriOf({ publicUrl }: Pick<LoginOption, 'publicUrl'>): string {
  return `${publicUrl}/api/oidc/callback`;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
