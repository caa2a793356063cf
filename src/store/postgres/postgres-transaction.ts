import { PortcullisError } from '../../errors/index.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type { LastChange, ResourceVersion } from '../history.ts';
import { versionOfRow } from '../rows/history-rows.ts';
import { type GroupRow, groupOfRow } from '../rows/record-rows.ts';
import { resourceOfRow } from '../rows/resource-rows.ts';
import { refuseUserTwin, userDetailsColumn } from '../rows/stored-record-rows.ts';
import { columnsOfKey, hasChangedNothing } from '../rows/write-checks.ts';
import type {
  ApiToken,
  AuditEntry,
  Author,
  Foresight,
  GatewayGroup,
  ReadOptions,
  RecordWrite,
  ResourceKey,
  ResourceSelection,
  ResourceWrite,
  SelectedResources,
  StoredRecord,
  StoredResource,
  StoreTransaction,
  UniqueValue,
  User,
} from '../store.ts';
import { allSettled } from './all-settled.ts';
import { AuditLog } from './audit-log.ts';
import { catchUpLists } from './catch-up-lists.ts';
import { runFailure } from './failures.ts';
import { GroupRevisions } from './group-revisions.ts';
import { groupValue, KnownResources } from './known-resources.ts';
import { KnownVersions } from './known-versions.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresHistoryReader } from './postgres-history-reader.ts';
import { GROUP_COLUMNS } from './postgres-reader.ts';
import { clearLists } from './rebuild-lists.ts';
import { raiseRevisionFloor, readRevisionFloor } from './revision-floor.ts';
import type { RevisionListener } from './revision-listener.ts';
import { deleteExpiredRecordRows, putRecordRow } from './stored-records.ts';
import type { TransactionSteps } from './transaction-steps.ts';
import { ResourceWriter } from './write-resources.ts';

/** So many audit entries are gathered at most. */
const MOST_ENTRIES = 1_000;

/**
 * What a transaction's work sees: reads include its own writes.
 *
 * Work may catch a UniqueConflict, a RevisionConflict or an `admin_conflict` and go on, for such a write has changed nothing. After any other failure of a
 * write the transaction cannot commit.
 */
export class PostgresTransaction extends PostgresHistoryReader implements StoreTransaction {
  readonly #steps: TransactionSteps;
  readonly #now: number;
  readonly #author: Author;
  readonly #revisions = new GroupRevisions();
  readonly #known = new KnownResources();
  readonly #versions = new KnownVersions();
  readonly #resources: ResourceWriter;
  readonly #audit: AuditLog;
  readonly #listener: Pick<RevisionListener, 'announce'>;

  constructor(
    steps: TransactionSteps,
    cipher: FieldCipher,
    author: Author,
    nowSeconds: number,
    listener: Pick<RevisionListener, 'announce'>,
  ) {
    // What is asked of the database is asked when that has everything.
    const run = <Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> =>
      steps.run(async (connection) => {
        await this.#settle(connection);
        return work(connection);
      });
    super({ run, runOnOneState: run }, cipher);
    this.#steps = steps;
    this.#now = nowSeconds;
    this.#author = author;
    this.#listener = listener;
    this.#audit = new AuditLog(cipher);
    this.#resources = new ResourceWriter(cipher, author, nowSeconds, this.#revisions, this.#known);
  }

  /** Completes what was written: the last step of the transaction. @throws Error when values were released and not written again */
  async complete(connection: PostgresConnection): Promise<void> {
    this.#resources.assertComplete();
    await this.#resources.settle(connection, {
      first: () => this.#audit.prepare(connection),
      second: async () => {
        const announced = this.#listener.announce(connection, this.#revisions.raised);
        await allSettled([this.#audit.write(connection, this.#now, true), announced]);
      },
    });
  }

  async foresee({ groupId, keys, unique = [], revision }: Foresight): Promise<void> {
    const wellFormed = keys.filter((key) => columnsOfKey(key).every((part) => part.isWellFormed()));
    await this.#steps.run(async (connection) => {
      await this.#settle(connection);
      this.#resources.forget();
      await allSettled([
        this.#known.load(
          connection,
          wellFormed,
          unique.map((value) => groupValue(groupId, value)),
        ),
        groupId.isWellFormed() ? this.#revisions.load(connection, groupId) : undefined,
        revision === undefined ? undefined : this.#versions.load(connection, wellFormed, revision),
      ]);
    });
  }

  override async getResource(key: ResourceKey, options: ReadOptions = {}): Promise<StoredResource | undefined> {
    const { resource } = await this.#steps.run((connection) => this.#known.of(connection, key));
    return resource && resourceOfRow(resource, this.cipher, options);
  }

  override async findUnique(groupId: string, value: UniqueValue): Promise<ResourceKey | undefined> {
    const wanted = groupValue(groupId, value);
    await this.#steps.run((connection) => this.#known.load(connection, [], [wanted]));
    return this.#known.holderOf(wanted);
  }

  override async getGroup(groupId: string): Promise<GatewayGroup | undefined> {
    return this.#steps.run((connection) => this.#revisions.group(connection, groupId));
  }

  override async versionAt(key: ResourceKey, revision: number): Promise<ResourceVersion | undefined> {
    const foreseen = this.#versions.find(key, revision);
    if (foreseen !== undefined && this.#revisions.isPast(key.groupId, revision)) return foreseen.version && versionOfRow(foreseen.version);
    const latest = this.#known.peek(key)?.latest;
    if (latest === undefined || latest.number === undefined || latest.revision > revision) return super.versionAt(key, revision);
    return versionOfRow({ ...latest, number: latest.number });
  }

  async lastChange(key: ResourceKey): Promise<LastChange | undefined> {
    const last = this.#resources.lastChangeOf(key);
    if (last !== undefined) return last;
    const [to, from] = await this.listVersions(key, 2);
    // A resource that was not there tells the same, deleted before or never written.
    return to && { to, from: from?.op === 'delete' && to.op === 'put' ? undefined : from };
  }

  override async selectResources(selection: ResourceSelection): Promise<SelectedResources> {
    await this.#writeAlone((connection) => catchUpLists(connection, selection.groupId));
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
    return this.#writeAlone(async (connection) => {
      const floor = await readRevisionFloor(connection);
      const row = await connection.get<GroupRow>(
        `INSERT INTO gateway_groups (id, name, description, revision, removals_kept_after, created_at, updated_at)
         VALUES ($1, $2, $3, $5, $5, $4, $4)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, updated_at = excluded.updated_at
         RETURNING ${GROUP_COLUMNS}`,
        ...[group.id, group.name, group.description, this.#now, floor],
      );
      if (row === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
      return groupOfRow(row);
    });
  }

  async deleteGroup(groupId: string): Promise<boolean> {
    return this.#writeAlone(async (connection) => {
      if ((await connection.get('SELECT 1 FROM resources WHERE group_id = $1 LIMIT 1', groupId)) !== undefined) {
        throw new PortcullisError('admin_conflict', { publicMessage: 'the gateway group still holds resources' });
      }
      await clearLists(connection, groupId);
      for (const table of ['resource_removals', 'lists_revisions'])
        await connection.run(`DELETE FROM ${table} WHERE group_id = $1`, groupId);
      const gone = await connection.get<{ revision: number }>('DELETE FROM gateway_groups WHERE id = $1 RETURNING revision', groupId);
      if (gone !== undefined) await raiseRevisionFloor(connection, gone.revision + 1, this.#now);
      return gone !== undefined;
    });
  }

  async leapRevisions(by: number): Promise<void> {
    await this.#writeAlone(async (connection) => {
      await connection.run('UPDATE gateway_groups SET revision = revision + $1', by);
      await raiseRevisionFloor(connection, (await readRevisionFloor(connection)) + by, this.#now);
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
      const { username, externalId } = user;
      const namesake = await connection.get<{ id: string }>('SELECT id FROM users WHERE username = $1', username);
      const twin =
        externalId === undefined
          ? undefined
          : await connection.get<{ id: string }>('SELECT id FROM users WHERE external_id = $1', externalId);
      refuseUserTwin(user, namesake, twin);
      await connection.run(
        `INSERT INTO users (id, username, password_hash, must_change_password, details, external_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET username = excluded.username, password_hash = excluded.password_hash,
           must_change_password = excluded.must_change_password, details = excluded.details, external_id = excluded.external_id,
           created_at = excluded.created_at, updated_at = excluded.updated_at`,
        ...[user.id, username, user.passwordHash, user.mustChangePassword ? 1 : 0, userDetailsColumn(user)],
        ...[externalId ?? null, user.createdAt, user.updatedAt],
      );
    });
  }

  async deleteUser(id: string): Promise<boolean> {
    return this.#write(async (connection) => (await connection.run('DELETE FROM users WHERE id = $1', id)) > 0);
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

  async recordTokenUse(id: string, at: number): Promise<void> {
    await this.#write((connection) =>
      connection.run('UPDATE tokens SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)', ...[id, at]),
    );
  }

  async putRecord(write: RecordWrite): Promise<StoredRecord> {
    return this.#write((connection) => putRecordRow(connection, this.cipher, write, this.#now));
  }

  async moveRecordExpiry(kind: string, id: string, expiresAt: number): Promise<boolean> {
    return this.#write(async (connection) => {
      return (await connection.run('UPDATE records SET expires_at = $3 WHERE kind = $1 AND id = $2', ...[kind, id, expiresAt])) > 0;
    });
  }

  async deleteRecord(kind: string, id: string): Promise<boolean> {
    return this.#write(async (connection) => (await connection.run('DELETE FROM records WHERE kind = $1 AND id = $2', kind, id)) > 0);
  }

  async deleteRecordsOf(kind: string, ownerId: string): Promise<number> {
    return this.#write((connection) => connection.run('DELETE FROM records WHERE kind = $1 AND owner_id = $2', kind, ownerId));
  }

  async deleteExpiredRecords(before: number, limit: number): Promise<number> {
    return this.#write((connection) => deleteExpiredRecordRows(connection, before, limit));
  }

  async appendAudit(entry: AuditEntry): Promise<void> {
    await this.#write(async (connection) => {
      this.#audit.append(entry, this.#author);
      if (this.#audit.gathered < MOST_ENTRIES) return;
      await this.#audit.prepare(connection);
      await this.#audit.write(connection, this.#now, false);
    });
  }

  /** A write of groups, for which resources must be settled, and after which groups are read anew. */
  #writeAlone<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    return this.#write(async (connection) => {
      await this.#settle(connection);
      this.#revisions.forget();
      return work(connection);
    });
  }

  /** What fails here was written half. */
  async #settle(connection: PostgresConnection): Promise<void> {
    try {
      await this.#resources.settle(connection);
    } catch (error) {
      this.#steps.fail(runFailure(error));
      throw error;
    }
  }

  #write<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    return this.#steps.run(async (connection) => {
      this.#steps.assertCommittable();
      try {
        return await work(connection);
      } catch (error) {
        if (!hasChangedNothing(error)) this.#steps.fail(runFailure(error));
        throw error;
      }
    });
  }
}
