import { PortcullisError } from '../../errors/index.ts';
import type { FieldCipher } from '../field-cipher.ts';
import { type GroupRow, groupOfRow } from '../rows/record-rows.ts';
import {
  type ApiToken,
  type AuditEntry,
  type Author,
  type GatewayGroup,
  isConflict,
  type ResourceKey,
  type ResourceSelection,
  type ResourceWrite,
  type SelectedResources,
  type StoredResource,
  type StoreTransaction,
  type User,
} from '../store.ts';
import { AuditLog } from './audit-log.ts';
import { catchUpLists } from './catch-up-lists.ts';
import { runFailure } from './failures.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresHistoryReader } from './postgres-history-reader.ts';
import { GROUP_COLUMNS } from './postgres-reader.ts';
import { clearLists } from './rebuild-lists.ts';
import type { TransactionSteps } from './transaction-steps.ts';
import { ResourceWriter } from './write-resources.ts';

/**
 * What a transaction's work sees: reads include its own writes.
 *
 * Work may catch a conflict and go on, for such a write has changed nothing. After any other failure of a
 * write the transaction cannot commit.
 */
export class PostgresTransaction extends PostgresHistoryReader implements StoreTransaction {
  readonly #steps: TransactionSteps;
  readonly #now: number;
  readonly #author: Author;
  readonly #resources: ResourceWriter;
  readonly #audit: AuditLog;

  constructor(steps: TransactionSteps, cipher: FieldCipher, author: Author, nowSeconds: number) {
    super(steps, cipher);
    this.#steps = steps;
    this.#now = nowSeconds;
    this.#author = author;
    this.#audit = new AuditLog(cipher);
    this.#resources = new ResourceWriter(cipher, author, nowSeconds);
  }

  /** The groups that have a new revision by this transaction. */
  get raisedGroups(): readonly string[] {
    return this.#resources.raisedGroups;
  }

  /** Completes what was written: the last step of the transaction. @throws Error when values were released and not written again */
  async complete(connection: PostgresConnection): Promise<void> {
    this.#resources.assertComplete();
    await this.#resources.settleLists(connection);
    await this.#audit.settle(connection, this.#now);
  }

  override async selectResources(selection: ResourceSelection): Promise<SelectedResources> {
    await this.#write(async (connection) => {
      await this.#resources.settleLists(connection);
      await catchUpLists(connection, selection.groupId);
    });
    return super.selectResources(selection);
  }

  async putResource(write: ResourceWrite): Promise<StoredResource> {
    return this.#write((connection) => this.#resources.put(connection, write));
  }

  async deleteResource(key: ResourceKey, expectedRevision?: number): Promise<boolean> {
    return this.#write((connection) => this.#resources.delete(connection, key, expectedRevision));
  }

  async releaseValues(key: ResourceKey): Promise<void> {
    await this.#write((connection) => this.#resources.release(connection, key));
  }

  async deleteResourceAlone(key: ResourceKey): Promise<boolean> {
    return this.#write((connection) => this.#resources.deleteAlone(connection, key));
  }

  async putGroup(group: { readonly id: string; readonly name: string; readonly description: string }): Promise<GatewayGroup> {
    return this.#write(async (connection) => {
      const row = await connection.get<GroupRow>(
        `INSERT INTO gateway_groups (id, name, description, revision, removals_kept_after, created_at, updated_at)
         VALUES ($1, $2, $3, 0, 0, $4, $4)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, updated_at = excluded.updated_at
         RETURNING ${GROUP_COLUMNS}`,
        ...[group.id, group.name, group.description, this.#now],
      );
      if (row === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
      return groupOfRow(row);
    });
  }

  async deleteGroup(groupId: string): Promise<boolean> {
    return this.#write(async (connection) => {
      if ((await connection.get('SELECT 1 FROM resources WHERE group_id = $1 LIMIT 1', groupId)) !== undefined) {
        throw new PortcullisError('admin_conflict', { publicMessage: 'the gateway group still holds resources' });
      }
      await this.#resources.settleLists(connection);
      await clearLists(connection, groupId);
      for (const table of ['resource_removals', 'lists_revisions'])
        await connection.run(`DELETE FROM ${table} WHERE group_id = $1`, groupId);
      return (await connection.get('DELETE FROM gateway_groups WHERE id = $1 RETURNING id', groupId)) !== undefined;
    });
  }

  async putSetting(name: string, value: Buffer, options: { readonly secret: boolean }): Promise<void> {
    await this.#write((connection) => {
      const stored = options.secret ? Buffer.from(this.cipher.seal(value, ['setting', name])) : value;
      return connection.run(
        `INSERT INTO settings (name, value, secret, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, secret = excluded.secret, updated_at = excluded.updated_at`,
        ...[name, stored, options.secret ? 1 : 0, this.#now],
      );
    });
  }

  async putUser(user: User): Promise<void> {
    await this.#write(async (connection) => {
      const namesake = await connection.get<{ id: string }>('SELECT id FROM users WHERE username = $1', user.username);
      if (namesake !== undefined && namesake.id !== user.id) {
        throw new PortcullisError('admin_invalid', { publicMessage: 'another user has this name' });
      }
      await connection.run(
        `INSERT INTO users (id, username, password_hash, must_change_password, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET username = excluded.username, password_hash = excluded.password_hash,
           must_change_password = excluded.must_change_password, created_at = excluded.created_at`,
        ...[user.id, user.username, user.passwordHash, user.mustChangePassword ? 1 : 0, user.createdAt],
      );
    });
  }

  async putToken(token: ApiToken): Promise<void> {
    await this.#write((connection) =>
      connection.run(
        `INSERT INTO tokens (id, name, user_id, token_hash, expires_at, revoked_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, user_id = excluded.user_id, token_hash = excluded.token_hash,
           expires_at = excluded.expires_at, revoked_at = excluded.revoked_at, created_at = excluded.created_at`,
        ...[token.id, token.name, token.userId, token.tokenHash, token.expiresAt, token.revokedAt ?? null, token.createdAt],
      ),
    );
  }

  async appendAudit(entry: AuditEntry): Promise<void> {
    await this.#write((connection) => this.#audit.append(connection, entry, this.#author));
  }

  #write<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    return this.#steps.run(async (connection) => {
      this.#steps.assertCommittable();
      try {
        return await work(connection);
      } catch (error) {
        if (!isConflict(error)) this.#steps.fail(runFailure(error));
        throw error;
      }
    });
  }
}
