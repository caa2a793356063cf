import type { StoreReader } from '../../store/index.ts';
import type { Caller } from './authenticate-token.ts';
import { ADMIN_KEY_PREFIX } from './random-text.ts';
import { hashToken } from './tokens.ts';

/** The space of unique values in which a gateway group keeps the digest of its admin key. */
export const ADMIN_KEY_SPACE = 'admin key';

/** `a7adm-<random text>.<id of the group>`. */
const ADMIN_KEY = /^a7adm-[0-9A-Za-z]+\.([a-zA-Z0-9-_.]{1,256})$/;

/** Whether a value of `X-API-KEY` is to be taken for the admin key of a gateway group. */
export function isAdminKey(headerValue: string | undefined): headerValue is string {
  return headerValue?.startsWith(ADMIN_KEY_PREFIX) === true;
}

/**
 * The caller that an admin key stands for; undefined for one that is unknown, malformed or replaced. The look-up is by hash, so its
 * duration tells nothing of the key.
 */
export async function authenticateAdminKey(store: Pick<StoreReader, 'findUnique'>, key: string): Promise<Caller | undefined> {
  const groupId = ADMIN_KEY.exec(key)?.[1];
  if (groupId === undefined) return undefined;
  const holder = await store.findUnique(groupId, { space: ADMIN_KEY_SPACE, digest: hashToken(Buffer.from(key, 'latin1')) });
  if (holder?.kind !== 'gateway_group') return undefined;
  return { tokenId: `gateway_group/${groupId}`, name: 'admin key', userId: '', groupId };
}
