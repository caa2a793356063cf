import type { JsonObject } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';
import { askForSecret, refusedBy } from './ask-for-secret.ts';
import { contentOf } from './secret-content.ts';
import { SecretError } from './secret-error.ts';
import {
  escapedPath,
  type ManagerSurroundings,
  optionalField,
  type ReadSecret,
  requiredField,
  withoutLastSlash,
} from './secret-provider.ts';

/**
 * HashiCorp Vault's key-value engines, versions 1 and 2, by a token. With `kv_version: kv-v2` the first segment of `prefix` is the mount of an
 * engine of version 2, and `data` is put behind it; otherwise `prefix` is used as it is, and an answer in the form of version 2 is known as such.
 */
export function vaultReader({ calls }: ManagerSurroundings): ReadSecret {
  return async (configuration, name) => {
    const isVersion2 = optionalField(configuration, 'kv_version') === 'kv-v2';
    const prefix = typeof configuration.prefix === 'string' ? configuration.prefix : '';
    const path = escapedPath('v1', isVersion2 ? withData(prefix) : prefix, name);
    const namespace = optionalField(configuration, 'namespace');
    const answer = await askForSecret(calls, {
      method: 'GET',
      url: `${withoutLastSlash(requiredField(configuration, 'uri'))}/${path}`,
      headers: {
        'X-Vault-Token': requiredField(configuration, 'token'),
        'X-Vault-Request': 'true',
        ...(namespace === undefined ? {} : { 'X-Vault-Namespace': namespace }),
      },
    });
    if (answer.status !== 200) throw refusedBy('Vault', answer.status);
    return contentOf(fieldsOf(answer.body(), isVersion2));
  };
}

function withData(prefix: string): string {
  const [mount = '', ...rest] = prefix.split('/').filter((segment) => segment !== '');
  return [mount, ...(rest[0] === 'data' ? rest : ['data', ...rest])].join('/');
}

function fieldsOf({ data }: JsonObject, isVersion2: boolean): JsonObject {
  if (!isJsonObject(data)) throw new SecretError('failed', 'the answer of Vault holds no data');
  if (!isVersion2 && !isJsonObject(data.metadata)) return data;
  const inner = Object.hasOwn(data, 'data') ? data.data : undefined;
  if (isJsonObject(inner)) return inner;
  // A deleted version has no data; a secret of version 1 may well have a field called metadata.
  if (isVersion2 || inner === null) throw new SecretError('gone', 'the secret was deleted in Vault');
  return data;
}
