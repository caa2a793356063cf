import { digestKey } from '../../lib/key-digest.ts';
import {
  hasSecretReferences,
  isSecretReference,
  type JsonObject,
  type PluginSchema,
  readPluginConfiguration,
  resolveSecretReferences,
  type ValueOfReference,
} from '../../plugin-kit/index.ts';
import type { KeyDigest, ReferencedKey } from '../../schema/index.ts';

/** What must be known of a plugin to enter its credentials. */
export type CredentialPlugin = Pick<PluginSchema, 'name' | 'consumerSchema' | 'credentialData'>;

export interface ResolveKeysOptions {
  readonly plugins: readonly CredentialPlugin[];
  readonly keySalt: Uint8Array;
  readonly lookUp: ValueOfReference;
}

/**
 * The keys that references stand for. One of which anything is not known, or is no valid credential when it is, gives no key: unlike the
 * configuration of any other plugin it is judged again with its real values, so that it lets nobody in by mistake.
 */
export function resolveKeys(references: readonly ReferencedKey[], options: ResolveKeysOptions): readonly KeyDigest[] {
  return references.flatMap((reference) => resolveKey(reference, options) ?? []);
}

function resolveKey({ plugin, unique, data, configuration }: ReferencedKey, options: ResolveKeysOptions): KeyDigest | undefined {
  const digestOf = (text: string): string => digestKey(options.keySalt, Buffer.from(text)).toString('base64');
  const digest = 'digest' in unique ? unique.digest : digestOfReference(unique.reference, options.lookUp, digestOf);
  if (digest === undefined) return undefined;
  if (configuration === undefined) return { plugin, digest, ...(data === undefined ? {} : { data }) };
  const made = dataOf(plugin, configuration, options, digestOf);
  return made === undefined ? undefined : { plugin, digest, data: made };
}

function digestOfReference(reference: string, lookUp: ValueOfReference, digestOf: (text: string) => string): string | undefined {
  const value = lookUp(reference);
  // What a reference stands for may be another one by mistake: everybody could guess it.
  return value === undefined || value === '' || isSecretReference(value) ? undefined : digestOf(value);
}

function dataOf(
  plugin: string,
  configuration: JsonObject,
  { plugins, lookUp }: ResolveKeysOptions,
  digestOf: (text: string) => string,
): JsonObject | undefined {
  const schema = plugins.find(({ name }) => name === plugin);
  if (schema?.consumerSchema === undefined || schema.credentialData === undefined) return undefined;
  const resolved = resolveSecretReferences(configuration, lookUp);
  if (hasSecretReferences(resolved)) return undefined;
  try {
    return schema.credentialData(readPluginConfiguration(schema.consumerSchema, resolved), digestOf);
  } catch {
    return undefined;
  }
}
