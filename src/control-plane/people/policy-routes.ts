import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { compileValidator, issuesBelow, Type } from '../../schema/index.ts';
import type { StoreTransaction } from '../../store/index.ts';
import {
  deleteAccessRecord,
  findPolicy,
  iamName,
  listPolicies,
  listRoles,
  POLICY_KIND,
  type Policy,
  type PolicyDocument,
  putPolicy,
  validatePolicyDocument,
} from '../access/index.ts';
import { listAnswer } from '../api/paging.ts';
import { randomId } from '../auth/index.ts';
import type { Action, ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { changeable, found } from './access-records.ts';
import { describeRecordChange } from './describe-record-change.ts';
import { describing } from './fields.ts';
import { refuseDenying, refuseOwnPolicies, requireGrantable } from './grants.ts';
import { listedByName } from './listed-by-name.ts';
import { callerOf, change, invalid, invalidAt, type PeopleContext, readBody } from './people-context.ts';
import { checkVersion, versionHeaders } from './record-version.ts';
import { requireRoom } from './require-room.ts';
import { policyTarget } from './user-targets.ts';

/** The body of a permission policy; the document is checked by itself. */
export const policyBody = compileValidator(
  Type.Object({
    name: Type.String({ minLength: 1, maxLength: 100 }),
    ...describing,
    policy_document: Type.Optional(Type.Unsafe<JsonValue>({})),
    statement: Type.Optional(Type.Unsafe<JsonValue>({})),
  }),
);

/** Besides those that are built in. */
const MAX_POLICIES = 1_000;
const ALL_POLICIES = iamName('permissionpolicy', '*');

/** Permission policies: list, read, make, change, remove. */
export function policyRoutes(context: PeopleContext): readonly ApiRoute[] {
  const resource = { kind: 'handler' } as const;
  const collection = '/api/permission_policies';
  const path = `${collection}/:id`;
  return [
    {
      method: 'GET',
      path: collection,
      permission: 'iam:GetPermissionPolicy',
      resource: { kind: 'some', of: () => ALL_POLICIES },
      handle: (request) => listAll(context, request),
    },
    {
      method: 'POST',
      path: collection,
      permission: 'iam:CreatePermissionPolicy',
      resource,
      handle: (request) => createPolicy(context, request),
    },
    { method: 'GET', path, permission: 'iam:GetPermissionPolicy', resource, handle: (request) => getPolicy(context, request) },
    { method: 'PUT', path, permission: 'iam:UpdatePermissionPolicy', resource, handle: (request) => updatePolicy(context, request) },
    { method: 'DELETE', path, permission: 'iam:DeletePermissionPolicy', resource, handle: (request) => deletePolicy(context, request) },
  ];
}

async function listAll({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const policies = (await listPolicies(store)).filter((policy) => request.mayDo('iam:GetPermissionPolicy', policyTarget(policy)));
  return listAnswer(policies.toReversed(), request.query, listedByName(presentPolicy));
}

async function createPolicy(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:CreatePermissionPolicy', ALL_POLICIES);
  const { name, desc, labels, document } = readPolicyBody(request);
  request.permit('iam:CreatePermissionPolicy', policyTarget({ id: '*', labels }));
  const policy = await change(context, request, async (transaction) => {
    await requireRoom(transaction, POLICY_KIND, MAX_POLICIES, 'permission policies');
    const id = randomId(context.people.random);
    const result = await putPolicy(transaction, { id, name, description: desc, labels, document });
    return { result, action: 'policy.create', resource: `permission_policy/${id}`, detail: detailOf(result) };
  });
  return { headers: versionHeaders(policy), body: { value: presentPolicy(policy) } };
}

async function getPolicy({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:GetPermissionPolicy', ALL_POLICIES);
  const policy = found(await findPolicy(store, request.parameters.get('id') ?? ''), 'permission policy');
  request.permit('iam:GetPermissionPolicy', policyTarget(policy));
  return { headers: versionHeaders(policy), body: { value: presentPolicy(policy) } };
}

async function updatePolicy(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:UpdatePermissionPolicy', ALL_POLICIES);
  const { name, desc, labels, document } = readPolicyBody(request);
  const policy = await change(context, request, async (transaction) => {
    const policy = await reachablePolicy(transaction, request, 'iam:UpdatePermissionPolicy');
    const caller = callerOf(request);
    await refuseOwnPolicies(transaction, caller, [policy.id]);
    refuseDenying(caller, [policy.document]);
    // Whoever has it now gets what it says from now on.
    requireGrantable(caller, [policy.document]);
    requireGrantable(caller, [document]);
    const next = { ...policy, name, description: desc, labels, document };
    request.permit('iam:UpdatePermissionPolicy', policyTarget(next));
    const result = await putPolicy(transaction, next);
    const detail = { ...detailOf(result), ...describeRecordChange(described(policy), described(result)) };
    return { result, action: 'policy.put', resource: `permission_policy/${policy.id}`, detail };
  });
  return { headers: versionHeaders(policy), body: { value: presentPolicy(policy) } };
}

async function deletePolicy(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:DeletePermissionPolicy', ALL_POLICIES);
  await change(context, request, async (transaction) => {
    const policy = await reachablePolicy(transaction, request, 'iam:DeletePermissionPolicy');
    const role = (await listRoles(transaction)).find(({ policies }) => policies.includes(policy.id));
    const user = (await transaction.listUsers()).find(({ boundary }) => boundary.includes(policy.id));
    const holder = role === undefined ? user && `bounds the user ${user.username}` : `is still attached to the role ${role.name}`;
    if (holder !== undefined) throw new PortcullisError('admin_conflict', { publicMessage: `this permission policy ${holder}` });
    await deleteAccessRecord(transaction, POLICY_KIND, policy.id);
    return { result: undefined, action: 'policy.delete', resource: `permission_policy/${policy.id}`, detail: { name: policy.name } };
  });
  return { body: {} };
}

async function reachablePolicy(transaction: StoreTransaction, request: ApiRequest, permission: Action): Promise<Policy> {
  const policy = found(await findPolicy(transaction, request.parameters.get('id') ?? ''), 'permission policy');
  request.permit(permission, policyTarget(policy));
  checkVersion(request, policy);
  return changeable(policy, 'permission policy');
}

interface PolicyBody extends Pick<Policy, 'name' | 'labels' | 'document'> {
  readonly desc: string | undefined;
}

/** The document stands in `policy_document`; that of older clients, `statement` alone, is taken as well. */
function readPolicyBody(request: ApiRequest): PolicyBody {
  const { name, desc, labels, policy_document: document, statement } = readBody(request, policyBody);
  if (document === undefined && statement === undefined) throw invalidAt('/policy_document', 'property "policy_document" is missing');
  const validation = validatePolicyDocument(document ?? { statement });
  if (!validation.ok) throw invalid(issuesBelow(document === undefined ? '' : '/policy_document', validation.issues));
  return { name, desc, labels, document: validation.document };
}

/** A permission policy as answers show it. */
export function presentPolicy(policy: Policy): JsonObject {
  return { id: policy.id, ...described(policy), created_at: policy.createdAt, updated_at: policy.updatedAt };
}

function described(policy: Policy): JsonObject {
  return {
    name: policy.name,
    ...(policy.description === undefined ? {} : { desc: policy.description }),
    ...(policy.labels === undefined ? {} : { labels: policy.labels }),
    type: policy.type,
    policy_document: jsonOf(policy.document),
  };
}

function detailOf(policy: Policy): JsonObject {
  return { name: policy.name, policy_document: jsonOf(policy.document) };
}

function jsonOf(document: PolicyDocument): JsonValue {
  // It came from JSON.
  return document as unknown as JsonValue;
}
