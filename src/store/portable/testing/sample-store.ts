import { AUTHOR, consumerWrite, credentialWrite, digestOf, keyOf, putAll, remove, serviceWrite } from '../../contract/sample-writes.ts';
import type { Store } from '../../store.ts';

/** Digest of the API key of the credential `jack/c1`. */
export const SAMPLE_DIGEST = digestOf('sample-key');

/** Writes something of everything, in three revisions of the group `default`: five resources are left, one of them with a secret. */
export async function fillSampleStore(store: Store, note: string): Promise<void> {
  await store.transaction(AUTHOR, async (transaction) => {
    if ((await transaction.getGroup('default')) === undefined)
      await transaction.putGroup({ id: 'default', name: 'default', description: 'ünï\0' });
    await transaction.putSetting('secret', Buffer.from('hidden'), { secret: true });
    await transaction.putSetting('plain', Buffer.from([0, 255, 10]), { secret: false });
    await transaction.putUser({
      ...{
        id: 'u1',
        username: 'admin\u0001\0',
        passwordHash: 'x',
        mustChangePassword: true,
        roles: ['r'],
        boundary: [],
        externalId: undefined,
      },
      ...{ profile: { note }, createdAt: 1, updatedAt: 2 },
    });
    const token = {
      id: 't1',
      name: 't',
      userId: 'u1',
      tokenHash: digestOf('token'),
      expiresAt: 0,
      revokedAt: undefined,
      lastUsedAt: undefined,
    };
    await transaction.putToken({ ...token, createdAt: 3 });
    await transaction.putRecord({
      ...{ kind: 'login_option', id: 'l1', ownerId: undefined, name: 'oidc', document: { secret: 's' }, expiresAt: 0 },
      secretPointers: ['/secret'],
    });
    for (const action of ['one', 'two']) {
      const entry = { at: 1, author: AUTHOR, action, groupId: 'default', resource: 'a\0', address: undefined, detail: { note } };
      await transaction.appendAudit(entry);
    }
  });
  const jack = {
    ...consumerWrite('jack'),
    document: { username: 'jack', labels: { b: '"\\\u0001', 2: 'a\0b', a: 'ü' }, text: '\0\u0001' },
  };
  await putAll(store, jack, consumerWrite('jill'), consumerWrite('jo'), serviceWrite('old'));
  await putAll(store, credentialWrite('jack', 'c1', 'sample-key'), serviceWrite('echo'));
  await remove(store, keyOf('service', 'old'));
}
