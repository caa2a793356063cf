export { issuingPin, requireAuthorities, trustedAuthorities } from './authorities.ts';
export { CertificateDesk } from './certificate-desk.ts';
export { type ChangeAuthoritiesOptions, retireFormerAuthority, rotateAuthorities } from './change-authorities.ts';
export { forgetGroup } from './forget-group.ts';
export { joinCommands } from './join-commands.ts';
export {
  digestSecret,
  findJoinToken,
  isUsableJoinToken,
  JOIN_TOKEN_KIND,
  type JoinTokenStatus,
  listJoinTokens,
  putJoinToken,
  type StoredJoinToken,
  statusOfJoinToken,
} from './join-tokens.ts';
export type { JoiningContext } from './joining-context.ts';
export {
  findInstance,
  INSTANCE_KIND,
  isRevokedInstance,
  type KnownInstance,
  listInstances,
  noteIssued,
  revokeInstance,
} from './known-instances.ts';
export { SyncAdmission } from './sync-admission.ts';
