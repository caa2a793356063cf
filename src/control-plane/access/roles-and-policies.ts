import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { RecordWrite, StoredRecord, StoreReader, StoreTransaction } from '../../store/index.ts';
import { BUILT_IN_POLICIES, BUILT_IN_ROLES, type Policy, type Role } from './built-in-roles.ts';
import type { PolicyDocument } from './policy-document.ts';

/** How the kinds of records are called in the store. */
export const ROLE_KIND = 'role';
export const POLICY_KIND = 'permission_policy';

/** Moves on whenever a role or policy changes, in any process. */
const ACCESS_REVISION = 'access-revision';

export type AccessReader = Pick<StoreReader, 'getRecord' | 'listRecords' | 'getSetting'>;

/** One role, built in or not. */
export async function findRole(store: AccessReader, id: string): Promise<Role | undefined> {
  const builtIn = BUILT_IN_ROLES.find((role) => role.id === id);
  if (builtIn !== undefined) return builtIn;
  const record = await store.getRecord(ROLE_KIND, id);
  return record && roleOf(record);
}

/** One permission policy, built in or not. */
export async function findPolicy(store: AccessReader, id: string): Promise<Policy | undefined> {
  const builtIn = BUILT_IN_POLICIES.find((policy) => policy.id === id);
  if (builtIn !== undefined) return builtIn;
  const record = await store.getRecord(POLICY_KIND, id);
  return record && policyOf(record);
}

/** All roles, most recently updated first, the built-in ones last. */
export async function listRoles(store: AccessReader): Promise<readonly Role[]> {
  return [...(await store.listRecords(ROLE_KIND)).map(roleOf), ...BUILT_IN_ROLES];
}

/** All permission policies, most recently updated first, the built-in ones last. */
export async function listPolicies(store: AccessReader): Promise<readonly Policy[]> {
  return [...(await store.listRecords(POLICY_KIND)).map(policyOf), ...BUILT_IN_POLICIES];
}

/** The documents of policies by their ids; one that is gone counts for nothing. */
export async function documentsOfPolicies(store: AccessReader, ids: readonly string[]): Promise<readonly PolicyDocument[]> {
  const policies = await Promise.all([...new Set(ids)].map((id) => findPolicy(store, id)));
  return policies.flatMap((policy) => (policy === undefined ? [] : [policy.document]));
}

/** The documents of all policies of roles. */
export async function documentsOfRoles(store: AccessReader, roleIds: readonly string[]): Promise<readonly PolicyDocument[]> {
  const roles = await Promise.all([...new Set(roleIds)].map((id) => findRole(store, id)));
  return documentsOfPolicies(
    store,
    roles.flatMap((role) => role?.policies ?? []),
  );
}

/** Writes a role. @throws PortcullisError 409 when another role has the name */
export async function putRole(
  transaction: StoreTransaction,
  role: Pick<Role, 'id' | 'name' | 'description' | 'labels' | 'policies'>,
): Promise<Role> {
  refuseBuiltInName(BUILT_IN_ROLES, role.name, 'role');
  const document = { ...describing(role), policies: role.policies };
  const record = await transaction.putRecord(writeOf(ROLE_KIND, role, document));
  await moveAccessRevision(transaction);
  return roleOf(record);
}

/** Writes a permission policy. @throws PortcullisError 409 when another policy has the name */
export async function putPolicy(
  transaction: StoreTransaction,
  policy: Pick<Policy, 'id' | 'name' | 'description' | 'labels' | 'document'>,
): Promise<Policy> {
  refuseBuiltInName(BUILT_IN_POLICIES, policy.name, 'permission policy');
  const document = { ...describing(policy), policy_document: policy.document as unknown as JsonObject };
  const record = await transaction.putRecord(writeOf(POLICY_KIND, policy, document));
  await moveAccessRevision(transaction);
  return policyOf(record);
}

/** Removes a role or policy. */
export async function deleteAccessRecord(transaction: StoreTransaction, kind: string, id: string): Promise<void> {
  await transaction.deleteRecord(kind, id);
  await moveAccessRevision(transaction);
}

/** Tells whether roles and policies are still those that were compiled. */
export async function accessRevision(store: Pick<StoreReader, 'getSetting'>): Promise<string> {
  return (await store.getSetting(ACCESS_REVISION))?.toString() ?? '0';
}

async function moveAccessRevision(transaction: StoreTransaction): Promise<void> {
  const next = Number(await accessRevision(transaction)) + 1;
  await transaction.putSetting(ACCESS_REVISION, Buffer.from(String(next)), { secret: false });
}

function refuseBuiltInName(builtIn: readonly { readonly name: string }[], name: string, noun: string): void {
  if (builtIn.some((one) => one.name === name)) {
    throw new PortcullisError('admin_conflict', { publicMessage: `another ${noun} has this name` });
  }
}

function writeOf(kind: string, { id, name }: { readonly id: string; readonly name: string }, document: JsonObject): RecordWrite {
  return { kind, id, name, ownerId: undefined, document, expiresAt: 0, secretPointers: [] };
}

function describing({ description, labels }: Pick<Role, 'description' | 'labels'>): JsonObject {
  return { ...(description === undefined ? {} : { desc: description }), ...(labels === undefined ? {} : { labels }) };
}

/** What this file wrote as the document of a role or policy. */
interface KeptDocument {
  readonly desc?: string;
  readonly labels?: JsonObject;
  readonly policies?: readonly string[];
  readonly policy_document?: PolicyDocument;
}

/** The reading border of such documents: only this file writes them. */
function keptIn({ document }: StoredRecord): KeptDocument {
  return document as unknown as KeptDocument;
}

function roleOf(record: StoredRecord): Role {
  const { policies = [] } = keptIn(record);
  return { ...commonOf(record), policies };
}

function policyOf(record: StoredRecord): Policy {
  const { policy_document: document = { statement: [] } } = keptIn(record);
  return { ...commonOf(record), document };
}

function commonOf(record: StoredRecord): Omit<Policy, 'document'> {
  const { id, name = '', version, createdAt, updatedAt } = record;
  const { desc, labels } = keptIn(record);
  return { id, name, type: 'custom', description: desc, labels, version, createdAt, updatedAt };
}
