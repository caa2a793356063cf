import type { ApiToken, GatewayGroup, User } from '../store.ts';

export interface GroupRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly revision: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export function groupOfRow(row: GroupRow): GatewayGroup {
  const { id, name, description, revision } = row;
  return { id, name, description, revision, createdAt: row.created_at, updatedAt: row.updated_at };
}

export interface UserRow {
  readonly id: string;
  readonly username: string;
  readonly password_hash: string;
  readonly must_change_password: number;
  readonly created_at: number;
}

export function userOfRow(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    passwordHash: row.password_hash,
    mustChangePassword: row.must_change_password === 1,
    createdAt: row.created_at,
  };
}

export interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly user_id: string;
  readonly token_hash: Buffer;
  readonly expires_at: number;
  readonly revoked_at: number | null;
  readonly created_at: number;
}

export function tokenOfRow(row: TokenRow): ApiToken {
  return {
    id: row.id,
    name: row.name,
    userId: row.user_id,
    tokenHash: row.token_hash,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at ?? undefined,
    createdAt: row.created_at,
  };
}
