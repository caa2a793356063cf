import type { JsonObject } from '../../lib/json.ts';
import type { PolicyDocument } from './policy-document.ts';

/** A permission policy as it is kept. */
export interface Policy {
  readonly id: string;
  readonly name: string;
  readonly type: 'built_in' | 'custom';
  readonly description: string | undefined;
  readonly labels: JsonObject | undefined;
  readonly document: PolicyDocument;
  /** 0 for what is built in. */
  readonly version: number;
  /** Unix seconds; 0 for what is built in. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A role as it is kept. */
export interface Role extends Omit<Policy, 'document'> {
  /** Ids of permission policies. */
  readonly policies: readonly string[];
}

/** API7's id of the role that may do everything. */
export const SUPER_ADMIN_ROLE = 'super_admin_id';

const BUILT_IN = { type: 'built_in', labels: undefined, version: 0, createdAt: 0, updatedAt: 0 } as const;

/** The policies that every installation has; nobody can change them. */
export const BUILT_IN_POLICIES: readonly Policy[] = [
  {
    ...BUILT_IN,
    id: 'super_admin_policy_id',
    name: 'Super Admin',
    description: 'Everything.',
    document: { statement: [{ effect: 'allow', actions: ['*'], resources: ['*'] }] },
  },
  {
    ...BUILT_IN,
    id: 'viewer_policy_id',
    name: 'Viewer',
    description: 'Reading everything but secrets.',
    document: { statement: [{ effect: 'allow', actions: ['gateway:Get*', 'iam:Get*'], resources: ['*'] }] },
  },
];

/** The roles that every installation has; nobody can change them. */
export const BUILT_IN_ROLES: readonly Role[] = [
  {
    ...BUILT_IN,
    id: SUPER_ADMIN_ROLE,
    name: 'Super Admin',
    description: 'May do everything.',
    policies: ['super_admin_policy_id'],
  },
  {
    ...BUILT_IN,
    id: 'viewer_id',
    name: 'Viewer',
    description: 'May read everything but secrets, and change nothing.',
    policies: ['viewer_policy_id'],
  },
];
