import { hash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { ClaimMapping, LoginOption } from './login-option.ts';

/** What claims say of a user. */
export interface MappedUser {
  readonly username: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  /** Undefined: the login option maps none, so that they are assigned by hand. */
  readonly roles: readonly string[] | undefined;
  readonly boundary: readonly string[] | undefined;
}

/** Reads the claims of a user as a login option wants. The subject stands in for a name that is missing. */
export function mapClaims(
  option: Pick<LoginOption, 'usernameClaim' | 'roleMapping' | 'boundaryMapping'>,
  told: JsonObject & { readonly sub: string },
): MappedUser {
  const { usernameClaim, roleMapping, boundaryMapping } = option;
  const claims = withoutUnverified(told);
  return {
    username:
      usableName(claimAt(claims, usernameClaim)) ?? usableName(claims.email) ?? usableName(claims.sub) ?? nameForSubject(claims.sub),
    name: textOf(claims.name, 256),
    email: textOf(claims.email, 320),
    roles: roleMapping.length === 0 ? undefined : union(roleMapping.filter((mapping) => isMet(mapping, claims)).map(({ roles }) => roles)),
    boundary:
      boundaryMapping.length === 0
        ? undefined
        : union(boundaryMapping.filter((mapping) => isMet(mapping, claims)).map((mapping) => mapping.permission_policies)),
  };
}

function isMet({ claim, value }: ClaimMapping, claims: JsonObject): boolean {
  const found = claimAt(claims, claim);
  return found === value || (Array.isArray(found) && found.includes(value));
}

/** A claim by its name; one whose name has dots itself (`https://example.com/roles`) comes first. */
function claimAt(claims: JsonObject, path: string): JsonValue | undefined {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: JsonValue | undefined = claims;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) return undefined;
    value = (value as JsonObject)[step];
  }
  return value;
}

/** An address that the provider says it has not verified is whatever somebody typed there (OpenID Connect Core, section 5.7). */
function withoutUnverified(claims: JsonObject & { readonly sub: string }): JsonObject & { readonly sub: string } {
  const { email, email_verified: isVerified, ...others } = claims;
  return email === undefined || isVerified === false || isVerified === 'false' ? others : claims;
}

/** For a subject that no user name can hold, the same each time. */
function nameForSubject(subject: string): string {
  return `user-${hash('sha256', subject, 'hex').slice(0, 16)}`;
}

/** A name as invited users may have one, too; other text would look like somebody else in a list or log. */
function usableName(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > 128 || /^(?:__proto__|constructor|prototype)$/.test(value)) return undefined;
  return /^[^\s:\p{C}](?:[^:\p{C}\p{Zl}\p{Zp}]*[^\s:\p{C}])?$/u.test(value) ? value : undefined;
}

function textOf(value: JsonValue | undefined, maxCharacters: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, maxCharacters) : undefined;
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())];
}
