import { Type } from '../../schema/index.ts';
import { type ApiDescription, schemaRef } from '../openapi/index.ts';
import { DONE, listOf, madeId, secondsField, valueAnswer } from './described-answers.ts';
import { describing } from './fields.ts';
import { policyBody } from './policy-routes.ts';
import { policyIds, roleBody } from './role-routes.ts';
import { LIST_PARAMETERS } from './user-description.ts';

const tag = 'Roles';
const role = valueAnswer('The role', schemaRef('Role'), { hasVersion: true });
const policy = valueAnswer('The permission policy', schemaRef('PermissionPolicy'), { hasVersion: true });
const onRole = { tag, path: madeId('The id of a role') };
const onPolicy = { tag, path: madeId('The id of a permission policy') };
const query = LIST_PARAMETERS;
const changing = { headers: ['If-Match'] as const, refusals: [404, 409, 412] as const };
const ROLE = { name: 'mobile', policies: ['viewer_policy_id'] };
const POLICY = {
  name: 'read-consumers',
  policy_document: { statement: [{ effect: 'allow', actions: ['gateway:Get*'], resources: ['*'] }] },
};
const shown = {
  id: Type.String(),
  name: Type.String(),
  ...describing,
  type: Type.Unsafe<string>({ type: 'string', enum: ['built_in', 'custom'] }),
  created_at: secondsField('When it was made'),
  updated_at: secondsField('When it was last changed'),
};
const ids = Type.Unsafe<readonly string[]>({ oneOf: [Type.Array(Type.String()), policyIds.schema] });

/** What the document says of roles and permission policies. */
export const ROLE_DESCRIPTION: ApiDescription = {
  schemas: {
    Role: Type.Object({ ...shown, policies: Type.Array(Type.String(), { description: 'Ids of permission policies' }) }),
    PermissionPolicy: Type.Object({ ...shown, policy_document: Type.Unsafe<object>({ type: 'object' }) }),
  },
  operations: {
    'GET /api/roles': { id: 'listRoles', tag, summary: 'List roles', query, answers: listOf('Role') },
    'POST /api/roles': {
      ...{ id: 'createRole', tag, summary: 'Make a role' },
      body: { schema: roleBody.schema, examples: [{ summary: 'Make one', value: ROLE }] },
      answers: role,
      refusals: [409],
    },
    'GET /api/roles/:id': { ...onRole, id: 'getRole', summary: 'Read a role', answers: role, refusals: [404] },
    'PUT /api/roles/:id': {
      ...{ ...onRole, ...changing, id: 'putRole', summary: 'Replace a role as a whole' },
      body: { schema: roleBody.schema, examples: [{ summary: 'Describe it', value: { ...ROLE, desc: 'Whoever looks after the apps' } }] },
      answers: role,
    },
    'DELETE /api/roles/:id': {
      ...{ ...onRole, ...changing, id: 'deleteRole', summary: 'Delete a role that nobody has', answers: DONE },
    },
    'GET /api/roles/:id/permission_policies': {
      ...{ ...onRole, id: 'listPoliciesOfRole', summary: 'List the permission policies of a role' },
      answers: listOf('PermissionPolicy'),
      refusals: [404],
    },
    'POST /api/roles/:id/attach_permission_policies': {
      ...{ ...onRole, ...changing, id: 'attachPolicies', summary: 'Attach permission policies to a role' },
      body: { schema: ids, examples: [{ summary: 'Attach one', value: ['viewer_policy_id'] }] },
      answers: role,
    },
    'POST /api/roles/:id/detach_permission_policies': {
      ...{ ...onRole, ...changing, id: 'detachPolicies', summary: 'Detach permission policies from a role' },
      body: { schema: ids, examples: [{ summary: 'Detach one', value: ['viewer_policy_id'] }] },
      answers: role,
    },
    'GET /api/permission_policies': {
      id: 'listPolicies',
      tag,
      summary: 'List permission policies',
      query,
      answers: listOf('PermissionPolicy'),
    },
    'POST /api/permission_policies': {
      ...{ id: 'createPolicy', tag, summary: 'Make a permission policy' },
      body: { schema: policyBody.schema, examples: [{ summary: 'Make one', value: POLICY }] },
      answers: policy,
      refusals: [409],
    },
    'GET /api/permission_policies/:id': {
      ...onPolicy,
      id: 'getPolicy',
      summary: 'Read a permission policy',
      answers: policy,
      refusals: [404],
    },
    'PUT /api/permission_policies/:id': {
      ...{ ...onPolicy, ...changing, id: 'putPolicy', summary: 'Replace a permission policy as a whole' },
      body: {
        schema: policyBody.schema,
        examples: [{ summary: 'Describe it', value: { ...POLICY, desc: 'For those who look after apps' } }],
      },
      answers: policy,
    },
    'DELETE /api/permission_policies/:id': {
      ...{ ...onPolicy, ...changing, id: 'deletePolicy', summary: 'Delete a permission policy that nothing uses', answers: DONE },
    },
  },
};
