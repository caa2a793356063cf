import type { JsonObject } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';
import { askForSecret, refusedBy } from './ask-for-secret.ts';
import { fieldText, type SecretContent } from './secret-content.ts';
import { escapedPath, type ManagerSurroundings, type ReadSecret, requiredField, withoutLastSlash } from './secret-provider.ts';

/** Secrets of Kubernetes, from its API server by a token. The name is `namespace/name`. */
export function kubernetesReader({ calls }: ManagerSurroundings): ReadSecret {
  return async (configuration, name) => {
    const [namespace = '', secret = ''] = name.split('/');
    const answer = await askForSecret(calls, {
      method: 'GET',
      url: `${withoutLastSlash(requiredField(configuration, 'apiserver_addr'))}/${escapedPath('api/v1/namespaces', namespace, 'secrets', secret)}`,
      headers: { Authorization: `Bearer ${requiredField(configuration, 'token')}`, Accept: 'application/json' },
    });
    if (answer.status !== 200) throw refusedBy('the API server', answer.status);
    const { data } = answer.body();
    return isJsonObject(data) ? decoded(data) : new Map();
  };
}

function decoded(data: JsonObject): SecretContent {
  return new Map(Object.keys(data).map((name) => [name, Buffer.from(fieldText(data, name) ?? '', 'base64').toString()]));
}
