import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { StoredRecord, StoreTransaction } from '../../store/index.ts';
import { randomId } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { describeRecordChange } from '../people/describe-record-change.ts';
import { isSuperAdmin, requirePolicies, requireRoles } from '../people/grants.ts';
import { callerOf, change, invalid, invalidAt, notFound, type PeopleContext, readBody } from '../people/people-context.ts';
import { checkVersion, versionHeaders } from '../people/record-version.ts';
import { removeUser } from '../people/remove-user.ts';
import { requireRoom } from '../people/require-room.ts';
import { externalIdOf } from './external-user.ts';
import {
  checkAddresses,
  documentOf,
  findLoginOption,
  LOGIN_OPTION_KIND,
  MASK,
  redirectUriOf,
  validateLoginOption,
} from './login-option.ts';

const COLLECTION = '/api/login_options';
const MAX_OPTIONS = 100;

/** Login options: at which identity providers users may sign in. */
export function loginOptionRoutes(context: PeopleContext): readonly ApiRoute[] {
  const path = `${COLLECTION}/:id`;
  return [
    { method: 'GET', path: COLLECTION, permission: 'iam:GetLoginOption', handle: () => listOptions(context) },
    { method: 'POST', path: COLLECTION, permission: 'iam:CreateLoginOption', handle: (request) => putOption(context, request) },
    { method: 'GET', path, permission: 'iam:GetLoginOption', handle: (request) => getOption(context, request) },
    { method: 'PUT', path, permission: 'iam:UpdateLoginOption', handle: (request) => putOption(context, request) },
    { method: 'DELETE', path, permission: 'iam:DeleteLoginOption', handle: (request) => deleteOption(context, request) },
  ];
}

async function listOptions({ store }: PeopleContext): Promise<ApiAnswer> {
  const options = await store.listRecords(LOGIN_OPTION_KIND);
  return { body: { list: options.map(present), total: options.length } };
}

async function getOption({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const record = await store.getRecord(LOGIN_OPTION_KIND, idOf(request));
  if (record === undefined) throw notFound('login option');
  return { headers: versionHeaders(record), body: { value: present(record) } };
}

/** Whoever names the provider decides who anybody is, so that is for super admins. */
async function putOption(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  requireSuperAdmin(request);
  const isNew = request.method === 'POST';
  const body = readBody(request, validateLoginOption);
  const issues = checkAddresses(body);
  if (issues.length > 0) throw invalid(issues);
  const id = isNew ? randomId(context.people.random) : idOf(request);
  const record = await change(context, request, async (transaction) => {
    if (isNew) await requireRoom(transaction, LOGIN_OPTION_KIND, MAX_OPTIONS, 'login options');
    const before = isNew ? undefined : await currentOption(transaction, request, id);
    const isKept = before !== undefined && (body.client_secret === undefined || body.client_secret === MASK);
    const clientSecret = isKept ? before.clientSecret : body.client_secret;
    if (clientSecret === MASK) throw invalidAt('/client_secret', 'this is the mask that answers show in place of the secret');
    await checkMappings(transaction, body);
    const { client_secret: _, ...rest } = documentOf(body);
    const result = await transaction.putRecord({
      kind: LOGIN_OPTION_KIND,
      id,
      ownerId: undefined,
      name: body.name,
      document: { ...rest, ...(clientSecret === undefined ? {} : { client_secret: clientSecret }) },
      expiresAt: 0,
      secretPointers: ['/client_secret'],
    });
    const action = isNew ? 'login-option.create' : 'login-option.put';
    const secret = clientSecret === before?.clientSecret ? {} : { client_secret: 'changed' };
    // Whom it lets in, and as what, is what an auditor looks for.
    const detail = { name: body.name, issuer: body.issuer, ...describeRecordChange(before?.document ?? {}, rest), ...secret };
    return { result, action, resource: `login_option/${id}`, detail };
  });
  return { headers: versionHeaders(record), body: { value: present(record) } };
}

/** Takes the users along whom the provider let in, as API7 does: nobody could sign in as them any more. */
async function deleteOption(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  requireSuperAdmin(request);
  const id = idOf(request);
  await change(context, request, async (transaction) => {
    const record = await transaction.getRecord(LOGIN_OPTION_KIND, id);
    if (record === undefined) throw notFound('login option');
    checkVersion(request, record);
    const prefix = externalIdOf(id, '');
    const users = (await transaction.listUsers()).filter(({ externalId }) => externalId?.startsWith(prefix) === true);
    for (const user of users) await removeUser(transaction, user, Math.floor(context.clock.nowMs() / 1000));
    await transaction.deleteRecord(LOGIN_OPTION_KIND, id);
    const detail = { name: record.name ?? '', users: users.map(({ username }) => username) };
    return { result: undefined, action: 'login-option.delete', resource: `login_option/${id}`, detail };
  });
  return { body: {} };
}

/** What is there now: the document without its secret, and the secret, which a body without one, or with its mask, keeps. */
async function currentOption(
  transaction: StoreTransaction,
  request: ApiRequest,
  id: string,
): Promise<{ readonly document: JsonObject; readonly clientSecret: string | undefined }> {
  const record = await transaction.getRecord(LOGIN_OPTION_KIND, id);
  const option = await findLoginOption(transaction, id, { secrets: true });
  if (record === undefined || option === undefined) throw notFound('login option');
  checkVersion(request, record);
  return { document: record.document, clientSecret: option.clientSecret };
}

async function checkMappings(transaction: StoreTransaction, body: Parameters<typeof documentOf>[0]): Promise<void> {
  for (const [index, { roles }] of (body.role_mapping ?? []).entries()) {
    await requireRoles(transaction, roles, `/role_mapping/${index}/roles`);
  }
  for (const [index, mapping] of (body.permission_boundary_mapping ?? []).entries()) {
    await requirePolicies(transaction, mapping.permission_policies, `/permission_boundary_mapping/${index}/permission_policies`);
  }
}

function requireSuperAdmin(request: ApiRequest): void {
  if (isSuperAdmin(callerOf(request).user)) return;
  throw new PortcullisError('admin_forbidden', { publicMessage: 'Forbidden: only a super admin changes login options' });
}

function idOf(request: ApiRequest): string {
  return request.parameters.get('id') ?? '';
}

function present({ id, name = '', document, createdAt, updatedAt }: StoredRecord): JsonObject {
  const publicUrl = String(document.public_url);
  return {
    id,
    name,
    ...document,
    client_secret: MASK,
    redirect_uri: redirectUriOf({ publicUrl }),
    login_url: `${publicUrl}/api/oidc/${id}/login`,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
