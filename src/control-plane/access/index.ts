export {
  type Access,
  type Facts,
  isAllowed,
  isAllowedForAll,
  isAllowedForSome,
  NO_ACCESS,
  needsFacts,
  type Target,
} from './access.ts';
export { AccessCache, readAccess } from './access-cache.ts';
export { type Policy, type Role, SUPER_ADMIN_ROLE } from './built-in-roles.ts';
export { accessToGroup, policyOfGroup } from './group-access.ts';
export { hasAllOf } from './has-all-of.ts';
export { type PolicyDocument, validatePolicyDocument } from './policy-document.ts';
export { gatewayGroupName, gatewayTarget, iamName, nounOf, ORGANIZATION, plainTarget } from './resource-names.ts';
export {
  type AccessReader,
  deleteAccessRecord,
  documentsOfPolicies,
  documentsOfRoles,
  findPolicy,
  findRole,
  listPolicies,
  listRoles,
  POLICY_KIND,
  putPolicy,
  putRole,
  ROLE_KIND,
} from './roles-and-policies.ts';
