import type { FieldCipher } from '../field-cipher.ts';
import type { FoundLists } from '../lists/found-lists.ts';
import { type GroupRow, groupOfRow, type TokenRow, tokenOfRow, type UserRow, userOfRow } from '../rows/record-rows.ts';
import { type KeyColumns, keyOfRow, type ResourceRow, resourceOfRow } from '../rows/resource-rows.ts';
import { columnsOfKey } from '../rows/write-checks.ts';
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
import { listChanges } from './list-changes.ts';
import { listResourceRows } from './list-resources.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { RESOURCE_COLUMNS } from './resource-columns.ts';
import { selectResources } from './select-resources.ts';
import { findRecordRowByName, getRecordRow, listRecordRows } from './stored-records.ts';

/** Where a reader gets its connection from, for one call at a time. Both throw what a store's callers are to see. */
export interface ConnectionSource {
  run<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result>;
  /** For work whose statements must see one state. */
  runOnOneState<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result>;
  /** For a reader of what is committed. */
  readonly found?: FoundLists;
}

export const GROUP_COLUMNS = 'id, name, description, revision, created_at, updated_at';
const USER_COLUMNS = 'id, username, password_hash, must_change_password, details, external_id, created_at, updated_at';
const TOKEN_COLUMNS = 'id, name, user_id, token_hash, expires_at, revoked_at, last_used_at, created_at';
const OMITTING: ReadOptions = { secrets: 'omit' };

/** The reading half of a store. */
export class PostgresReader implements StoreReader {
  protected readonly source: ConnectionSource;
  protected readonly cipher: FieldCipher;

  constructor(source: ConnectionSource, cipher: FieldCipher) {
    this.source = source;
    this.cipher = cipher;
  }

  async getResource(key: ResourceKey, options: ReadOptions = {}): Promise<StoredResource | undefined> {
    const row = await this.get<ResourceRow>(
      `SELECT ${RESOURCE_COLUMNS} FROM resources WHERE group_id = $1 AND kind = $2 AND parent_id = $3 AND id = $4`,
      ...columnsOfKey(key),
    );
    return row && resourceOfRow(row, this.cipher, options);
  }

  async listResources(query: ResourceQuery, options: ReadOptions = {}): Promise<readonly StoredResource[]> {
    const rows = await this.source.run((connection) => listResourceRows(connection, query));
    return rows.map((row) => resourceOfRow(row, this.cipher, options));
  }

  async selectResources(selection: ResourceSelection): Promise<SelectedResources> {
    return this.source.runOnOneState((connection) => selectResources(connection, selection, this.source.found));
  }

  async resourcesAt(
    list: { readonly groupId: string; readonly kind: string },
    rows: readonly number[],
    options: ReadOptions = {},
  ): Promise<readonly StoredResource[]> {
    const found = await this.all<ResourceRow & { readonly row: number }>(
      `SELECT resources.row, ${RESOURCE_COLUMNS} FROM resources WHERE resources.row = ANY ($1::bigint[]) AND group_id = $2 AND kind = $3`,
      ...[rows.map(String), list.groupId, list.kind],
    );
    const byRow = new Map(found.map((row) => [row.row, row]));
    return rows.flatMap((number) => {
      const row = byRow.get(number);
      return row === undefined ? [] : [resourceOfRow(row, this.cipher, options)];
    });
  }

  async findUnique(groupId: string, value: UniqueValue): Promise<ResourceKey | undefined> {
    const row = await this.get<KeyColumns>(
      `SELECT resources.group_id, kind, parent_id, id FROM unique_values JOIN resources ON resources.row = resource_row
       WHERE unique_values.group_id = $1 AND space = $2 AND digest = $3`,
      ...[groupId, value.space, value.digest],
    );
    return row && keyOfRow(row);
  }

  async getGroup(groupId: string): Promise<GatewayGroup | undefined> {
    const row = await this.get<GroupRow>(`SELECT ${GROUP_COLUMNS} FROM gateway_groups WHERE id = $1`, groupId);
    return row && groupOfRow(row);
  }

  async listGroups(): Promise<readonly GatewayGroup[]> {
    const rows = await this.all<GroupRow>(`SELECT ${GROUP_COLUMNS} FROM gateway_groups ORDER BY created_at, id`);
    return rows.map(groupOfRow);
  }

  async pageOfResources(
    groupId: string,
    after: ResourceKey | undefined,
    limit: number,
    options: ReadOptions = OMITTING,
  ): Promise<readonly StoredResource[]> {
    const rows = await this.all<ResourceRow>(
      `SELECT ${RESOURCE_COLUMNS} FROM resources WHERE group_id = $1 AND (kind, parent_id, id) > ($2, $3, $4)
       ORDER BY kind, parent_id, id LIMIT $5`,
      ...[groupId, after?.kind ?? '', after?.parentId ?? '', after?.id ?? '', limit],
    );
    return rows.map((row) => resourceOfRow(row, this.cipher, options));
  }

  async changesSince(
    groupId: string,
    revision: number,
    options: Parameters<StoreReader['changesSince']>[2] = OMITTING,
  ): ReturnType<StoreReader['changesSince']> {
    return this.source.runOnOneState((connection) => listChanges({ connection, cipher: this.cipher, options }, groupId, revision));
  }

  async getSetting(name: string): Promise<Buffer | undefined> {
    const row = await this.get<{ value: Buffer; secret: number }>('SELECT value, secret FROM settings WHERE name = $1', name);
    return row?.secret === 1 ? this.cipher.open(row.value.toString(), ['setting', name]) : row?.value;
  }

  async findUserByName(username: string): Promise<User | undefined> {
    const row = await this.get<UserRow>(`SELECT ${USER_COLUMNS} FROM users WHERE username = $1`, username);
    return row && userOfRow(row);
  }

  async listUsers(): Promise<readonly User[]> {
    return (await this.all<UserRow>(`SELECT ${USER_COLUMNS} FROM users ORDER BY created_at, id`)).map(userOfRow);
  }

  async findTokenByHash(tokenHash: Buffer): Promise<ApiToken | undefined> {
    const row = await this.get<TokenRow>(`SELECT ${TOKEN_COLUMNS} FROM tokens WHERE token_hash = $1`, tokenHash);
    return row && tokenOfRow(row);
  }

  async getUser(id: string): Promise<User | undefined> {
    const row = await this.get<UserRow>(`SELECT ${USER_COLUMNS} FROM users WHERE id = $1`, id);
    return row && userOfRow(row);
  }

  async findUserByExternalId(externalId: string): Promise<User | undefined> {
    const row = await this.get<UserRow>(`SELECT ${USER_COLUMNS} FROM users WHERE external_id = $1`, externalId);
    return row && userOfRow(row);
  }

  async getToken(id: string): Promise<ApiToken | undefined> {
    const row = await this.get<TokenRow>(`SELECT ${TOKEN_COLUMNS} FROM tokens WHERE id = $1`, id);
    return row && tokenOfRow(row);
  }

  async listTokens(userId: string): Promise<readonly ApiToken[]> {
    const rows = await this.all<TokenRow>(`SELECT ${TOKEN_COLUMNS} FROM tokens WHERE user_id = $1 ORDER BY created_at DESC, id`, userId);
    return rows.map(tokenOfRow);
  }

  async getRecord(kind: string, id: string, options: { readonly secrets?: boolean } = {}): Promise<StoredRecord | undefined> {
    const cipher = options.secrets === true ? this.cipher : undefined;
    return this.source.run((connection) => getRecordRow(connection, kind, id, cipher));
  }

  async findRecordByName(kind: string, name: string): Promise<StoredRecord | undefined> {
    return this.source.run((connection) => findRecordRowByName(connection, kind, name));
  }

  async listRecords(kind: string, ownerId?: string): Promise<readonly StoredRecord[]> {
    return this.source.run((connection) => listRecordRows(connection, kind, ownerId));
  }

  protected get<Row>(...statement: Parameters<PostgresConnection['get']>): Promise<Row | undefined> {
    return this.source.run((connection) => connection.get<Row>(...statement));
  }

  protected all<Row>(...statement: Parameters<PostgresConnection['all']>): Promise<Row[]> {
    return this.source.run((connection) => connection.all<Row>(...statement));
  }
}
