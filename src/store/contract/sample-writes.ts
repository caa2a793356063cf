import { hash } from 'node:crypto';
import type { JsonObject } from '../../lib/json.ts';
import type { Author, ResourceKey, ResourceWrite, Store, StoredResource, UniqueValue } from '../store.ts';

export const AUTHOR: Author = { id: 'token-1', name: 'deploy' };

export function keyOf(kind: string, id: string, parentId = '', groupId = 'default'): ResourceKey {
  return { groupId, kind, parentId, id };
}

export function serviceWrite(id: string, document: JsonObject = { name: id }, groupId = 'default'): ResourceWrite {
  return { key: keyOf('service', id, '', groupId), document, secretPointers: [], unique: [], owner: undefined };
}

export function routeWrite(id: string, serviceId: string): ResourceWrite {
  return {
    key: keyOf('route', id),
    document: { name: id, service_id: serviceId },
    secretPointers: [],
    unique: [],
    owner: { kind: 'service', id: serviceId },
  };
}

export function consumerWrite(username: string): ResourceWrite {
  return { key: keyOf('consumer', username), document: { username }, secretPointers: [], unique: [], owner: undefined };
}

/** A credential whose API key is encrypted at rest and unique in its group. */
export function credentialWrite(username: string, id: string, apiKey: string, groupId = 'default'): ResourceWrite {
  return {
    key: keyOf('credential', id, username, groupId),
    document: { id, plugins: { 'key-auth': { key: apiKey } } },
    secretPointers: ['/plugins/key-auth/key'],
    unique: [uniqueKey(apiKey)],
    owner: { kind: 'consumer', id: username },
  };
}

export function uniqueKey(apiKey: string): UniqueValue {
  return { space: 'key-auth', digest: digestOf(apiKey) };
}

export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** Writes all in one transaction and returns what was stored. */
export async function putAll(store: Store, ...writes: readonly ResourceWrite[]): Promise<readonly StoredResource[]> {
  return store.transaction(AUTHOR, async (transaction) => {
    const stored: StoredResource[] = [];
    for (const write of writes) stored.push(await transaction.putResource(write));
    return stored;
  });
}

export async function remove(store: Store, key: ResourceKey): Promise<boolean> {
  return store.transaction(AUTHOR, (transaction) => transaction.deleteResource(key));
}

/** The ids of resources, in their order. */
export function idsOf(resources: readonly StoredResource[]): readonly string[] {
  return resources.map((resource) => resource.key.id);
}
