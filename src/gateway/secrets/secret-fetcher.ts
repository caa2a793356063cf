import type { JsonObject } from '../../lib/json.ts';
import { hasSecretReferences, resolveSecretReferences } from '../../plugin-kit/index.ts';
import { parseSecretReference, type SecretManager } from '../../schema/index.ts';
import type { EnvironmentValues } from './environment-values.ts';
import { awsReader } from './read-aws-secret.ts';
import { googleReader } from './read-google-secret.ts';
import { kubernetesReader } from './read-kubernetes-secret.ts';
import { vaultReader } from './read-vault-secret.ts';
import type { SecretContent } from './secret-content.ts';
import { SecretError } from './secret-error.ts';
import type { ManagerSurroundings, ReadSecret } from './secret-provider.ts';

/** Reads a secret by the provider of this id (e.g. `vault/1`), configured so. @throws SecretError (as a rejection) */
export type FetchSecret = (provider: string, configuration: JsonObject, name: string) => Promise<SecretContent>;

/** Reads secrets of all managers. What a provider itself takes from the environment (`$env://`) is looked up first. */
export function secretFetcher(surroundings: ManagerSurroundings, environment: EnvironmentValues): FetchSecret {
  const readers: Readonly<Record<SecretManager, ReadSecret>> = {
    vault: vaultReader(surroundings),
    aws: awsReader(surroundings),
    gcp: googleReader(surroundings),
    kubernetes: kubernetesReader(surroundings),
  };
  const byName = new Map<string, ReadSecret>(Object.entries(readers));
  return async (provider, configuration, name) => {
    const reader = byName.get(provider.split('/', 1)[0] ?? '');
    if (reader === undefined) throw new SecretError('failed', 'this version does not know the secret manager');
    const own = resolveSecretReferences(configuration, (text) => fromEnvironment(text, environment));
    if (hasSecretReferences(own)) throw new SecretError('failed', 'a reference in the provider itself does not resolve');
    return reader(own, name);
  };
}

/** Providers are how secrets are found, so nothing of theirs can be kept in one. */
function fromEnvironment(text: string, environment: EnvironmentValues): string | undefined {
  const parsed = parseSecretReference(text);
  return parsed.ok && parsed.reference.kind === 'environment'
    ? environment.valueOf(parsed.reference.name, parsed.reference.key)
    : undefined;
}
