import type { AuditColumns } from '../audit-chain.ts';
import { readOrigin } from '../change-origin.ts';
import type { ChainedEntry, GroupRevision, NumberedAuditEntry, ResourceVersion, VersionHead } from '../history.ts';
import { type KeyColumns, keyOfRow } from './resource-rows.ts';

interface AuthorColumns {
  readonly author_id: string;
  readonly author_name: string;
  readonly origin: string | null;
}

/** The columns of `VersionHeadRow`. */
export const VERSION_HEAD_COLUMNS =
  'number, group_id, kind, parent_id, id, revision, op, author_id, author_name, at, secret_pointers, secrets_since, origin';

export interface VersionHeadRow extends KeyColumns, AuthorColumns {
  readonly number: number;
  readonly revision: number;
  readonly op: 'put' | 'delete';
  readonly at: number;
  readonly secret_pointers: string | null;
  readonly secrets_since: string | null;
}

export interface VersionRow extends VersionHeadRow {
  readonly document: string | null;
}

export function versionOfRow(row: VersionRow): ResourceVersion {
  return { ...versionHeadOfRow(row), document: row.document === null ? undefined : JSON.parse(row.document) };
}

export function versionHeadOfRow(row: VersionHeadRow): VersionHead {
  const secretPointers: readonly string[] = row.secret_pointers === null ? [] : JSON.parse(row.secret_pointers);
  return {
    key: keyOfRow(row),
    number: row.number,
    revision: row.revision,
    op: row.op,
    author: { id: row.author_id, name: row.author_name },
    origin: readOrigin(row.origin, row.author_id),
    at: row.at,
    secretPointers,
    secretsSince: row.secrets_since === null ? secretPointers.map(() => row.revision) : JSON.parse(row.secrets_since),
  };
}

export interface RevisionRow extends AuthorColumns {
  readonly revision: number;
  readonly at: number;
  readonly changes: number;
}

export function revisionOfRow(row: RevisionRow): GroupRevision {
  const { revision, at, changes } = row;
  return { revision, at, author: { id: row.author_id, name: row.author_name }, origin: readOrigin(row.origin, row.author_id), changes };
}

export interface AuditRow extends AuditColumns {
  readonly previous_hash: Buffer | null;
  readonly hash: Buffer | null;
}

export function auditEntryOfRow(row: AuditRow): NumberedAuditEntry {
  return {
    number: row.number,
    at: row.at,
    author: { id: row.author_id, name: row.author_name },
    origin: readOrigin(row.origin, row.author_id, row.address),
    action: row.action,
    groupId: row.group_id ?? undefined,
    resource: row.resource,
    address: row.address ?? undefined,
    detail: JSON.parse(row.detail),
    hash: row.hash ?? undefined,
  };
}

export function chainedEntryOfRow(row: AuditRow): ChainedEntry {
  return { columns: row, previousHash: row.previous_hash ?? undefined, hash: row.hash ?? undefined };
}
