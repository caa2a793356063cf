import { isDeepStrictEqual } from 'node:util';
import type { DescribeRestoredRecord, StoredRecord } from '../store/index.ts';
import { POLICY_KIND, ROLE_KIND } from './access/index.ts';
import { SESSION_KIND } from './auth/index.ts';
import { INSTANCE_KIND, isRevokedInstance, isUsableJoinToken, JOIN_TOKEN_KIND } from './joining/index.ts';
import { INVITE_KIND } from './people/index.ts';
import { LOGIN_OPTION_KIND } from './sso/index.ts';

/** What no restore brings back: who was signed in at the backup signs in anew. */
export const KINDS_ENDED_BY_RESTORE: readonly string[] = [SESSION_KIND];

/** Names what a restored record grants again although somebody has ended or changed it since. What only counts or is renewed is nothing. */
export const describeRestoredRecord: DescribeRestoredRecord = (restored, present, { nowSeconds, hasFormerSecret }) => {
  switch (restored.kind) {
    case JOIN_TOKEN_KIND:
      if (!isUsableJoinToken(restored, nowSeconds) || (present !== undefined && isUsableJoinToken(present, nowSeconds))) return undefined;
      return `join token ${nameOf(restored)} of ${restored.ownerId ?? ''}`;
    case INSTANCE_KIND:
      if (isRevokedInstance(restored) || present === undefined || !isRevokedInstance(present)) return undefined;
      return `gateway instance ${restored.id}, which was revoked`;
    case INVITE_KIND:
      if (present !== undefined || restored.expiresAt <= nowSeconds) return undefined;
      return `invite of the user ${restored.ownerId ?? restored.id}`;
    case ROLE_KIND:
      return changed('role', restored, present);
    case POLICY_KIND:
      return changed('permission policy', restored, present);
    case LOGIN_OPTION_KIND:
      return (
        changed('login option', restored, present) ?? (hasFormerSecret ? `login option ${nameOf(restored)}, its former secret` : undefined)
      );
    default:
      return undefined;
  }
};

function changed(what: string, restored: StoredRecord, present: StoredRecord | undefined): string | undefined {
  if (present === undefined) return `${what} ${nameOf(restored)}, which was removed`;
  return isDeepStrictEqual(restored.document, present.document) ? undefined : `${what} ${nameOf(restored)} as it was`;
}

function nameOf({ id, name, document }: StoredRecord): string {
  if (name !== undefined) return name;
  return typeof document.name === 'string' && document.name !== '' ? document.name : id;
}
