import type { StoreReader } from '../../store/index.ts';
import { accessToGroup } from '../access/index.ts';
import type { GroupCaller } from './caller.ts';
import { ADMIN_KEY_PREFIX } from './random-text.ts';
import { hashToken } from './tokens.ts';

/** The space of unique values in which a gateway group keeps the digest of its admin key. */
export const ADMIN_KEY_SPACE = 'admin key';

/** `a7adm-<random text>.<id of the group>`. */
const ADMIN_KEY = /^a7adm-[0-9A-Za-z]+\.([a-zA-Z0-9-_.]{1,256})$/;

/** Whether a value of `X-API-KEY` is to be taken for the admin key of a gateway group. */
export function isAdminKey(headerValue: string): boolean {
  return headerValue.startsWith(ADMIN_KEY_PREFIX);
}

type KeyReader = Pick<StoreReader, 'findUnique'>;

/**
 * The caller that an admin key stands for; undefined for one that is unknown, malformed or replaced. The look-up is by hash, so its
 * duration tells nothing of the key.
 */
export async function authenticateAdminKey(store: KeyReader, key: string): Promise<GroupCaller | undefined> {
  const groupId = ADMIN_KEY.exec(key)?.[1];
  if (groupId === undefined) return undefined;
  const keyDigest = hashToken(Buffer.from(key, 'latin1'));
  if (!(await isAdminKeyOf(store, groupId, keyDigest))) return undefined;
  const author = { id: `gateway_group/${groupId}`, name: 'admin key' };
  return { by: 'admin_key', groupId, keyDigest, author, access: accessToGroup(groupId) };
}

/** Whether the key with this digest is the admin key of the group now. */
export async function isAdminKeyOf(store: KeyReader, groupId: string, digest: Buffer): Promise<boolean> {
  return (await store.findUnique(groupId, { space: ADMIN_KEY_SPACE, digest }))?.kind === 'gateway_group';
}
