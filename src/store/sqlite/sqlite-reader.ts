import type { FieldCipher } from '../field-cipher.ts';
import type { FoundLists } from '../lists/found-lists.ts';
import { type GroupRow, groupOfRow, type TokenRow, tokenOfRow, type UserRow, userOfRow } from '../rows/record-rows.ts';
import { type KeyColumns, keyOfRow, type ResourceRow, resourceOfRow } from '../rows/resource-rows.ts';
import type {
  ApiToken,
  GatewayGroup,
  ReadOptions,
  ResourceKey,
  ResourceQuery,
  ResourceSelection,
  SelectedResources,
  StoredRecord,
  StoredResource,
  StoreReader,
  UniqueValue,
  User,
} from '../store.ts';
import { runFailure } from './failures.ts';
import { listChanges } from './list-changes.ts';
import { listResourceRows } from './list-resources.ts';
import { RESOURCE_COLUMNS } from './resource-columns.ts';
import { selectResources } from './select-resources.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { findRecordRowByName, getRecordRow, listRecordRows } from './stored-records.ts';

/** Where a reader reads, what opens secrets, and what must hold at each call. */
export interface ReaderParts {
  readonly database: SqliteDatabase;
  readonly cipher: FieldCipher;
  /** Throws when the store or the transaction is over. */
  readonly assertUsable: () => void;
  /** For a reader of what is committed. */
  readonly found?: FoundLists;
}

const OMITTING: ReadOptions = { secrets: 'omit' };

/** The reading half of a store, on one connection. Each call is one synchronous step, so that calls never mix. */
export class SqliteReader implements StoreReader {
  protected readonly database: SqliteDatabase;
  protected readonly cipher: FieldCipher;
  readonly #assertUsable: () => void;
  readonly #found: FoundLists | undefined;

  constructor(parts: ReaderParts) {
    this.database = parts.database;
    this.cipher = parts.cipher;
    this.#assertUsable = parts.assertUsable;
    this.#found = parts.found;
  }

  async getResource(key: ResourceKey, options: ReadOptions = {}): Promise<StoredResource | undefined> {
    return this.step(() => {
      const row = this.database.get<ResourceRow>(
        `SELECT ${RESOURCE_COLUMNS} FROM resources WHERE group_id = ? AND kind = ? AND parent_id = ? AND id = ?`,
        ...[key.groupId, key.kind, key.parentId, key.id],
      );
      return row && resourceOfRow(row, this.cipher, options);
    });
  }

  async listResources(query: ResourceQuery, options: ReadOptions = {}): Promise<readonly StoredResource[]> {
    return this.step(() => listResourceRows(this.database, query).map((row) => resourceOfRow(row, this.cipher, options)));
  }

  async selectResources(selection: ResourceSelection): Promise<SelectedResources> {
    return this.step(() => this.#seeingOneState(() => selectResources(this.database, selection, this.#found)));
  }

  async resourcesAt(
    list: { readonly groupId: string; readonly kind: string },
    rows: readonly number[],
    options: ReadOptions = {},
  ): Promise<readonly StoredResource[]> {
    return this.step(() => {
      const found = this.database.all<ResourceRow & { readonly row: number }>(
        `SELECT row, ${RESOURCE_COLUMNS} FROM resources WHERE row IN (SELECT value FROM json_each(?))`,
        JSON.stringify(rows),
      );
      // A row that was deleted since may bear another resource's number now.
      const belongs = (row: ResourceRow) => row.group_id === list.groupId && row.kind === list.kind;
      const byRow = new Map(found.filter(belongs).map((row) => [row.row, row]));
      return rows.flatMap((number) => {
        const row = byRow.get(number);
        return row === undefined ? [] : [resourceOfRow(row, this.cipher, options)];
      });
    });
  }

  async findUnique(groupId: string, value: UniqueValue): Promise<ResourceKey | undefined> {
    return this.step(() => {
      const row = this.database.get<KeyColumns>(
        `SELECT resources.group_id, kind, parent_id, id FROM unique_values JOIN resources ON row = resource_row
         WHERE unique_values.group_id = ? AND space = ? AND digest = ?`,
        ...[groupId, value.space, value.digest],
      );
      return row && keyOfRow(row);
    });
  }

  async getGroup(groupId: string): Promise<GatewayGroup | undefined> {
    return this.step(() => {
      const row = this.database.get<GroupRow>('SELECT * FROM gateway_groups WHERE id = ?', groupId);
      return row && groupOfRow(row);
    });
  }

  async listGroups(): Promise<readonly GatewayGroup[]> {
    return this.step(() => this.database.all<GroupRow>('SELECT * FROM gateway_groups ORDER BY created_at, id').map(groupOfRow));
  }

  async pageOfResources(
    groupId: string,
    after: ResourceKey | undefined,
    limit: number,
    options: ReadOptions = OMITTING,
  ): Promise<readonly StoredResource[]> {
    return this.step(() =>
      this.database
        .all<ResourceRow>(
          `SELECT ${RESOURCE_COLUMNS} FROM resources WHERE group_id = ? AND (kind, parent_id, id) > (?, ?, ?)
           ORDER BY kind, parent_id, id LIMIT ?`,
          ...[groupId, after?.kind ?? '', after?.parentId ?? '', after?.id ?? '', limit],
        )
        .map((row) => resourceOfRow(row, this.cipher, options)),
    );
  }

  async changesSince(groupId: string, revision: number, options: ReadOptions = OMITTING): ReturnType<StoreReader['changesSince']> {
    return this.step(() =>
      this.#seeingOneState(() => listChanges({ database: this.database, cipher: this.cipher, options }, groupId, revision)),
    );
  }

  async getSetting(name: string): Promise<Buffer | undefined> {
    return this.step(() => {
      const row = this.database.get<{ value: Buffer; secret: number }>('SELECT value, secret FROM settings WHERE name = ?', name);
      return row?.secret === 1 ? this.cipher.open(row.value.toString(), ['setting', name]) : row?.value;
    });
  }

  async findUserByName(username: string): Promise<User | undefined> {
    return this.step(() => {
      const row = this.database.get<UserRow>('SELECT * FROM users WHERE username = ?', username);
      return row && userOfRow(row);
    });
  }

  async listUsers(): Promise<readonly User[]> {
    return this.step(() => this.database.all<UserRow>('SELECT * FROM users ORDER BY created_at, id').map(userOfRow));
  }

  async findTokenByHash(tokenHash: Buffer): Promise<ApiToken | undefined> {
    return this.step(() => {
      const row = this.database.get<TokenRow>('SELECT * FROM tokens WHERE token_hash = ?', tokenHash);
      return row && tokenOfRow(row);
    });
  }

  async getUser(id: string): Promise<User | undefined> {
    return this.step(() => {
      const row = this.database.get<UserRow>('SELECT * FROM users WHERE id = ?', id);
      return row && userOfRow(row);
    });
  }

  async findUserByExternalId(externalId: string): Promise<User | undefined> {
    return this.step(() => {
      const row = this.database.get<UserRow>('SELECT * FROM users WHERE external_id = ?', externalId);
      return row && userOfRow(row);
    });
  }

  async getToken(id: string): Promise<ApiToken | undefined> {
    return this.step(() => {
      const row = this.database.get<TokenRow>('SELECT * FROM tokens WHERE id = ?', id);
      return row && tokenOfRow(row);
    });
  }

  async listTokens(userId: string): Promise<readonly ApiToken[]> {
    return this.step(() =>
      this.database.all<TokenRow>('SELECT * FROM tokens WHERE user_id = ? ORDER BY created_at DESC, id', userId).map(tokenOfRow),
    );
  }

  async getRecord(kind: string, id: string, options: { readonly secrets?: boolean } = {}): Promise<StoredRecord | undefined> {
    return this.step(() => getRecordRow(this.#place(), kind, id, options.secrets === true));
  }

  async findRecordByName(kind: string, name: string): Promise<StoredRecord | undefined> {
    return this.step(() => findRecordRowByName(this.#place(), kind, name));
  }

  async listRecords(kind: string, ownerId?: string): Promise<readonly StoredRecord[]> {
    return this.step(() => listRecordRows(this.#place(), kind, ownerId));
  }

  /** Runs one call; what SQLite throws becomes `store_unavailable`. */
  protected step<Result>(work: () => Result): Result {
    this.#assertUsable();
    try {
      return work();
    } catch (error) {
      throw runFailure(error);
    }
  }

  #place(): { readonly database: SqliteDatabase; readonly cipher: FieldCipher } {
    return { database: this.database, cipher: this.cipher };
  }

  #seeingOneState<Result>(work: () => Result): Result {
    if (this.database.inTransaction) return work();
    this.database.execute('BEGIN');
    try {
      return work();
    } finally {
      this.database.execute('ROLLBACK');
    }
  }
}
