import type { ApiToken, GatewayGroup, NumberedAuditEntry, ResourceVersion, User } from '../store.ts';
import { type KeyColumns, keyOfRow } from './resource-rows.ts';

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

export interface VersionRow extends KeyColumns {
  readonly revision: number;
  readonly op: 'put' | 'delete';
  readonly author_id: string;
  readonly author_name: string;
  readonly at: number;
  readonly document: string | null;
  readonly secret_pointers: string | null;
}

export function versionOfRow(row: VersionRow): ResourceVersion {
  return {
    key: keyOfRow(row),
    revision: row.revision,
    op: row.op,
    author: { id: row.author_id, name: row.author_name },
    at: row.at,
    document: row.document === null ? undefined : JSON.parse(row.document),
    secretPointers: row.secret_pointers === null ? [] : JSON.parse(row.secret_pointers),
  };
}

export interface AuditRow {
  readonly number: number;
  readonly at: number;
  readonly author_id: string;
  readonly author_name: string;
  readonly action: string;
  readonly group_id: string | null;
  readonly resource: string;
  readonly address: string | null;
  readonly detail: string;
}

export function auditEntryOfRow(row: AuditRow): NumberedAuditEntry {
  return {
    number: row.number,
    at: row.at,
    author: { id: row.author_id, name: row.author_name },
    action: row.action,
    groupId: row.group_id ?? undefined,
    resource: row.resource,
    address: row.address ?? undefined,
    detail: JSON.parse(row.detail),
  };
}
