import { PortcullisError } from '../../errors/index.ts';
import type { LastChange } from '../history.ts';
import { type GroupRow, groupOfRow } from '../rows/record-rows.ts';
import { refuseUserTwin, userDetailsColumn } from '../rows/stored-record-rows.ts';
import { hasChangedNothing } from '../rows/write-checks.ts';
import type {
  ApiToken,
  AuditEntry,
  Author,
  GatewayGroup,
  RecordWrite,
  ResourceKey,
  ResourceSelection,
  ResourceWrite,
  SelectedResources,
  StoredRecord,
  StoredResource,
  StoreTransaction,
  User,
} from '../store.ts';
import { AuditLog } from './audit-log.ts';
import { catchUpLists } from './catch-up-lists.ts';
import { clearLists } from './rebuild-lists.ts';
import { raiseRevisionFloor, readRevisionFloor } from './revision-floor.ts';
import { SqliteHistoryReader } from './sqlite-history-reader.ts';
import type { ReaderParts } from './sqlite-reader.ts';
import { deleteExpiredRecordRows, putRecordRow } from './stored-records.ts';
import { ResourceWriter } from './write-resources.ts';

/**
 * What a transaction's work sees: reads include its own writes.
 *
 * Work may catch a conflict and go on, for such a write has changed nothing. After any other failure of a
 * write the transaction cannot commit.
 */
export class SqliteTransaction extends SqliteHistoryReader implements StoreTransaction {
  readonly #now: number;
  readonly #author: Author;
  readonly #resources: ResourceWriter;
  readonly #audit: AuditLog;
  #failure: unknown;

  constructor(parts: ReaderParts, author: Author, nowSeconds: number) {
    super(parts);
    this.#now = nowSeconds;
    this.#author = author;
    this.#audit = new AuditLog(parts.database, parts.cipher);
    this.#resources = new ResourceWriter(parts.database, parts.cipher, author, nowSeconds);
  }

  /** Completes what was written. @throws as `assertCommittable`, and Error when values were released and not written again */
  complete(): void {
    this.assertCommittable();
    this.#resources.assertComplete();
    this.#write(() => {
      this.#resources.settleLists();
      this.#audit.settle(this.#now);
    });
    this.assertCommittable();
  }

  /** @throws what a write threw that left the transaction half done; PortcullisError when SQLite has ended it already. */
  assertCommittable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.database.inTransaction) {
      throw new PortcullisError('store_unavailable', { detail: 'the store ended the transaction' });
    }
  }

  override async selectResources(selection: ResourceSelection): Promise<SelectedResources> {
    this.#write(() => {
      this.#resources.settleLists();
      catchUpLists(this.database, selection.groupId);
    });
    return super.selectResources(selection);
  }

  // Nothing is far away here.
  async foresee(): Promise<void> {}

  async lastChange(key: ResourceKey): Promise<LastChange | undefined> {
    const first = this.#resources.firstVersionOf(key);
    if (first !== undefined) return { to: first, from: undefined };
    const [to, from] = await this.listVersions(key, 2);
    // A resource that was not there tells the same, deleted before or never written.
    return to && { to, from: from?.op === 'delete' && to.op === 'put' ? undefined : from };
  }

  async putResource(write: ResourceWrite): Promise<StoredResource> {
    return this.#write(() => this.#resources.put(write));
  }

  async deleteResource(key: ResourceKey, expectedRevision?: number): Promise<boolean> {
    return this.#write(() => this.#resources.delete(key, expectedRevision));
  }

  async releaseValues(key: ResourceKey): Promise<void> {
    this.#write(() => this.#resources.release(key));
  }

  async deleteResourceAlone(key: ResourceKey): Promise<boolean> {
    return this.#write(() => this.#resources.deleteAlone(key));
  }

  async putGroup(group: { readonly id: string; readonly name: string; readonly description: string }): Promise<GatewayGroup> {
    return this.#write(() => {
      const floor = readRevisionFloor(this.database);
      const row = this.database.get<GroupRow>(
        `INSERT INTO gateway_groups (id, name, description, revision, removals_kept_after, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, updated_at = excluded.updated_at
         RETURNING *`,
        ...[group.id, group.name, group.description, floor, floor, this.#now, this.#now],
      );
      if (row === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
      return groupOfRow(row);
    });
  }

  async deleteGroup(groupId: string): Promise<boolean> {
    return this.#write(() => {
      if (this.database.get('SELECT 1 FROM resources WHERE group_id = ? LIMIT 1', groupId) !== undefined) {
        throw new PortcullisError('admin_conflict', { publicMessage: 'the gateway group still holds resources' });
      }
      this.database.run('DELETE FROM resource_removals WHERE group_id = ?', groupId);
      clearLists(this.database, groupId);
      this.database.run('DELETE FROM lists_revisions WHERE group_id = ?', groupId);
      const gone = this.database.get<{ revision: number }>('DELETE FROM gateway_groups WHERE id = ? RETURNING revision', groupId);
      if (gone !== undefined) raiseRevisionFloor(this.database, gone.revision + 1, this.#now);
      return gone !== undefined;
    });
  }

  async leapRevisions(by: number): Promise<void> {
    this.#write(() => {
      this.database.run('UPDATE gateway_groups SET revision = revision + ?', by);
      raiseRevisionFloor(this.database, readRevisionFloor(this.database) + by, this.#now);
    });
  }

  async putSetting(name: string, value: Buffer, options: { readonly secret: boolean }): Promise<void> {
    this.#write(() => {
      const stored = options.secret ? Buffer.from(this.cipher.seal(value, ['setting', name])) : value;
      this.database.run(
        `INSERT INTO settings (name, value, secret, updated_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, secret = excluded.secret, updated_at = excluded.updated_at`,
        ...[name, stored, options.secret ? 1 : 0, this.#now],
      );
    });
  }

  async putUser(user: User): Promise<void> {
    this.#write(() => {
      const { username, externalId } = user;
      const namesake = this.database.get<{ id: string }>('SELECT id FROM users WHERE username = ?', username);
      const twin =
        externalId === undefined ? undefined : this.database.get<{ id: string }>('SELECT id FROM users WHERE external_id = ?', externalId);
      refuseUserTwin(user, namesake, twin);
      this.database.run(
        `INSERT INTO users (id, username, password_hash, must_change_password, details, external_id, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET username = excluded.username, password_hash = excluded.password_hash,
           must_change_password = excluded.must_change_password, details = excluded.details, external_id = excluded.external_id,
           created_at = excluded.created_at, updated_at = excluded.updated_at`,
        ...[user.id, username, user.passwordHash, user.mustChangePassword ? 1 : 0, userDetailsColumn(user)],
        ...[externalId ?? null, user.createdAt, user.updatedAt],
      );
    });
  }

  async deleteUser(id: string): Promise<boolean> {
    return this.#write(() => this.database.run('DELETE FROM users WHERE id = ?', id) > 0);
  }

  async putToken(token: ApiToken): Promise<void> {
    this.#write(() => {
      this.database.run(
        `INSERT INTO tokens (id, name, user_id, token_hash, expires_at, revoked_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, user_id = excluded.user_id, token_hash = excluded.token_hash,
           expires_at = excluded.expires_at, revoked_at = excluded.revoked_at, created_at = excluded.created_at`,
        ...[token.id, token.name, token.userId, token.tokenHash, token.expiresAt, token.revokedAt ?? null, token.createdAt],
      );
    });
  }

  async recordTokenUse(id: string, at: number): Promise<void> {
    this.#write(() => {
      this.database.run('UPDATE tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)', ...[at, id, at]);
    });
  }

  async putRecord(write: RecordWrite): Promise<StoredRecord> {
    return this.#write(() => putRecordRow({ database: this.database, cipher: this.cipher }, write, this.#now));
  }

  async moveRecordExpiry(kind: string, id: string, expiresAt: number): Promise<boolean> {
    return this.#write(() => this.database.run('UPDATE records SET expires_at = ? WHERE kind = ? AND id = ?', expiresAt, kind, id) > 0);
  }

  async deleteRecord(kind: string, id: string): Promise<boolean> {
    return this.#write(() => this.database.run('DELETE FROM records WHERE kind = ? AND id = ?', kind, id) > 0);
  }

  async deleteRecordsOf(kind: string, ownerId: string): Promise<number> {
    return this.#write(() => this.database.run('DELETE FROM records WHERE kind = ? AND owner_id = ?', kind, ownerId));
  }

  async deleteExpiredRecords(before: number, limit: number): Promise<number> {
    return this.#write(() => deleteExpiredRecordRows(this.database, before, limit));
  }

  async appendAudit(entry: AuditEntry): Promise<void> {
    this.#write(() => {
      this.#audit.append(entry, this.#author);
    });
  }

  #write<Result>(work: () => Result): Result {
    return this.step(() => {
      this.assertCommittable();
      try {
        return work();
      } catch (error) {
        if (!hasChangedNothing(error)) this.#failure = error;
        throw error;
      }
    });
  }
}
