import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { compileValidator, Type } from '../../schema/index.ts';
import type { StoreTransaction } from '../../store/index.ts';
import {
  deleteAccessRecord,
  documentsOfPolicies,
  findPolicy,
  findRole,
  iamName,
  listRoles,
  putRole,
  ROLE_KIND,
  type Role,
} from '../access/index.ts';
import { listAnswer } from '../api/paging.ts';
import { randomId } from '../auth/index.ts';
import type { Action, ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { changeable, found } from './access-records.ts';
import { describeRecordChange } from './describe-record-change.ts';
import { describing, idsField } from './fields.ts';
import { refuseDenying, refuseOwnRole, requireGrantable, requirePolicies } from './grants.ts';
import { listedByName } from './listed-by-name.ts';
import { callerOf, change, invalid, type PeopleContext, readBody } from './people-context.ts';
import { presentPolicy } from './policy-routes.ts';
import { checkVersion, versionHeaders } from './record-version.ts';
import { requireRoom } from './require-room.ts';
import { roleTarget } from './user-targets.ts';

/** The body of a role. */
export const roleBody = compileValidator(
  Type.Object({ name: Type.String({ minLength: 1, maxLength: 256 }), ...describing, policies: Type.Optional(idsField) }),
);
/** Permission policies to attach or to detach. */
export const policyIds = compileValidator(Type.Object({ policies: idsField }));

/** Besides those that are built in. */
const MAX_ROLES = 1_000;
const ALL_ROLES = iamName('role', '*');

/** Roles: list, read, make, change, remove, and the permission policies that are attached to them. */
export function roleRoutes(context: PeopleContext): readonly ApiRoute[] {
  const resource = { kind: 'handler' } as const;
  const path = '/api/roles/:id';
  return [
    {
      method: 'GET',
      path: '/api/roles',
      permission: 'iam:GetRole',
      resource: { kind: 'some', of: () => ALL_ROLES },
      handle: (request) => listAll(context, request),
    },
    { method: 'POST', path: '/api/roles', permission: 'iam:CreateRole', resource, handle: (request) => createRole(context, request) },
    { method: 'GET', path, permission: 'iam:GetRole', resource, handle: (request) => getRole(context, request) },
    { method: 'PUT', path, permission: 'iam:UpdateRole', resource, handle: (request) => updateRole(context, request) },
    { method: 'DELETE', path, permission: 'iam:DeleteCustomRole', resource, handle: (request) => deleteRole(context, request) },
    {
      method: 'GET',
      path: `${path}/permission_policies`,
      permission: 'iam:GetRole',
      resource,
      handle: (request) => listPoliciesOf(context, request),
    },
    {
      method: 'POST',
      path: `${path}/attach_permission_policies`,
      permission: 'iam:UpdateRole',
      resource,
      handle: (request) => attach(context, request),
    },
    {
      method: 'POST',
      path: `${path}/detach_permission_policies`,
      permission: 'iam:UpdateRole',
      resource,
      handle: (request) => detach(context, request),
    },
  ];
}

async function listAll({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const roles = (await listRoles(store)).filter((role) => request.mayDo('iam:GetRole', roleTarget(role)));
  return listAnswer(roles.toReversed(), request.query, listedByName(present));
}

async function createRole(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:CreateRole', ALL_ROLES);
  const { name, desc, labels, policies = [] } = readBody(request, roleBody);
  request.permit('iam:CreateRole', roleTarget({ id: '*', labels }));
  const role = await change(context, request, async (transaction) => {
    await requireRoom(transaction, ROLE_KIND, MAX_ROLES, 'roles');
    await requirePolicies(transaction, policies, '/policies');
    // Nobody has the role yet: what it allows is looked at when it is given to somebody.
    const id = randomId(context.people.random);
    const result = await putRole(transaction, { id, name, description: desc, labels, policies: [...new Set(policies)] });
    return { result, action: 'role.create', resource: `role/${id}`, detail: { name, policies } };
  });
  return { headers: versionHeaders(role), body: { value: present(role) } };
}

async function getRole({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const role = await visibleRole(store, request);
  return { headers: versionHeaders(role), body: { value: present(role) } };
}

async function listPoliciesOf({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const role = await visibleRole(store, request);
  const policies = (await Promise.all(role.policies.map((id) => findPolicy(store, id)))).filter((policy) => policy !== undefined);
  return listAnswer(policies, request.query, listedByName(presentPolicy));
}

async function updateRole(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:UpdateRole', ALL_ROLES);
  const { name, desc, labels, policies } = readBody(request, roleBody);
  return changeRole(context, request, async (transaction, role) => {
    const next = { ...role, name, description: desc, labels, policies: [...new Set(policies ?? role.policies)] };
    await checkPolicies(transaction, request, role, next.policies, '/policies');
    return next;
  });
}

/** The body is the list of ids, as API7's clients send it; an object with `policies` is taken as well. */
function idsOf(request: ApiRequest): readonly string[] {
  const body = request.body();
  const validation = policyIds(Array.isArray(body) ? { policies: body } : body);
  if (!validation.ok) throw invalid(validation.issues);
  return validation.value.policies;
}

async function attach(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:UpdateRole', ALL_ROLES);
  const ids = idsOf(request);
  return changeRole(context, request, async (transaction, role) => {
    const policies = [...new Set([...role.policies, ...ids])];
    await checkPolicies(transaction, request, role, policies, '');
    return { ...role, policies };
  });
}

async function detach(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:UpdateRole', ALL_ROLES);
  const ids = new Set(idsOf(request));
  return changeRole(context, request, async (transaction, role) => {
    const policies = role.policies.filter((id) => !ids.has(id));
    await checkPolicies(transaction, request, role, policies, '');
    return { ...role, policies };
  });
}

/** What is attached must exist and be the caller's to give; what is detached must take nothing away. */
async function checkPolicies(
  transaction: StoreTransaction,
  request: ApiRequest,
  role: Role,
  next: readonly string[],
  pointer: string,
): Promise<void> {
  const caller = callerOf(request);
  const added = next.filter((id) => !role.policies.includes(id));
  const removed = role.policies.filter((id) => !next.includes(id));
  requireGrantable(caller, await requirePolicies(transaction, added, pointer));
  refuseDenying(caller, await documentsOfPolicies(transaction, removed));
}

async function changeRole(
  context: PeopleContext,
  request: ApiRequest,
  work: (transaction: StoreTransaction, role: Role) => Promise<Role>,
): Promise<ApiAnswer> {
  const role = await change(context, request, async (transaction) => {
    const role = await reachableRole(transaction, request, 'iam:UpdateRole');
    refuseOwnRole(callerOf(request), role.id);
    // Who has the role now has what it allows: a lesser caller does not decide over that.
    requireGrantable(callerOf(request), await documentsOfPolicies(transaction, role.policies));
    const next = await work(transaction, role);
    request.permit('iam:UpdateRole', roleTarget(next));
    const result = await putRole(transaction, next);
    const changes = describeRecordChange(described(role), described(result));
    const detail = { name: result.name, policies: result.policies, ...changes };
    return { result, action: 'role.put', resource: `role/${role.id}`, detail };
  });
  return { headers: versionHeaders(role), body: { value: present(role) } };
}

async function deleteRole(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:DeleteCustomRole', ALL_ROLES);
  await change(context, request, async (transaction) => {
    const role = await reachableRole(transaction, request, 'iam:DeleteCustomRole');
    const holder = (await transaction.listUsers()).find(({ roles }) => roles.includes(role.id));
    if (holder !== undefined) {
      throw new PortcullisError('admin_conflict', { publicMessage: `this role is still assigned to the user ${holder.username}` });
    }
    await deleteAccessRecord(transaction, ROLE_KIND, role.id);
    return { result: undefined, action: 'role.delete', resource: `role/${role.id}`, detail: { name: role.name } };
  });
  return { body: {} };
}

async function visibleRole(store: PeopleContext['store'], request: ApiRequest): Promise<Role> {
  request.permitSome('iam:GetRole', ALL_ROLES);
  const role = found(await findRole(store, request.parameters.get('id') ?? ''), 'role');
  request.permit('iam:GetRole', roleTarget(role));
  return role;
}

async function reachableRole(transaction: StoreTransaction, request: ApiRequest, permission: Action): Promise<Role> {
  const role = found(await findRole(transaction, request.parameters.get('id') ?? ''), 'role');
  request.permit(permission, roleTarget(role));
  checkVersion(request, role);
  return changeable(role, 'role');
}

function present(role: Role): JsonObject {
  return { id: role.id, ...described(role), created_at: role.createdAt, updated_at: role.updatedAt };
}

function described(role: Role): JsonObject {
  return {
    name: role.name,
    ...(role.description === undefined ? {} : { desc: role.description }),
    ...(role.labels === undefined ? {} : { labels: role.labels }),
    type: role.type,
    policies: role.policies,
  };
}
