import type { SnapshotPlugin } from '../distribution/index.ts';
import { PortcullisError } from '../errors/index.ts';
import type { Logger } from '../observability/index.ts';
import {
  hasSecretReferences,
  isSecretReference,
  type JsonObject,
  type PluginSchema,
  readPluginConfiguration,
  readPluginMeta,
} from '../plugin-kit/index.ts';
import type { ReferencedKey } from '../schema/index.ts';

type DigestOf = (text: string) => string;
/** Undefined for a plugin of whose credentials gateways need nothing but the digest. */
type CredentialData = SnapshotPlugin['credentialData'];

/**
 * A plugin as the publisher knows it. Its `credentialData` gets each credential's configuration valid and with its defaults; a credential that
 * this version does not accept lets nobody in, and is told to the log without any of its values.
 */
export function toSnapshotPlugin(schema: PluginSchema, log: Logger): SnapshotPlugin {
  const { name, type, consumerSchema } = schema;
  if (consumerSchema === undefined) return { name, type };
  const credentialData = readingCredentialData(schema, log);
  return {
    name,
    type,
    ...(credentialData === undefined ? {} : { credentialData }),
    referencedKey: (configuration, digestOf) => toReferencedKey(schema, configuration, credentialData, digestOf),
  };
}

function readingCredentialData({ name, consumerSchema, credentialData }: PluginSchema, log: Logger): CredentialData {
  if (consumerSchema === undefined || credentialData === undefined) return undefined;
  return (configuration, digestOf) => {
    try {
      return credentialData(readPluginConfiguration(consumerSchema, configuration), digestOf);
    } catch (error) {
      // Of other errors it is not known what they quote.
      const cause = error instanceof PortcullisError ? error.message : 'its data cannot be computed';
      log.warn('a credential that this version does not accept is left out', { plugin: name, cause });
      return undefined;
    }
  };
}

/**
 * What gateways get of a credential with references. Its configuration, with whatever stands in clear beside them, travels only where data
 * cannot be made without what is referred to: `credentialData` gives none for a reference that it works on.
 */
function toReferencedKey(
  { name, uniqueField }: PluginSchema,
  configuration: JsonObject,
  credentialData: CredentialData,
  digestOf: DigestOf,
): ReferencedKey | undefined {
  if (uniqueField === undefined || !hasSecretReferences(configuration) || readPluginMeta(configuration).disabled) return undefined;
  const value = Object.hasOwn(configuration, uniqueField) ? configuration[uniqueField] : undefined;
  const isReference = typeof value === 'string' && isSecretReference(value);
  if (credentialData === undefined) return isReference ? { plugin: name, unique: { reference: value } } : undefined;
  if (typeof value !== 'string') return undefined;
  const data = credentialData(configuration, digestOf);
  const isComplete = data !== undefined && !hasSecretReferences(data);
  if (isComplete && !isReference) return undefined;
  const unique = isReference ? { reference: value } : { digest: digestOf(value) };
  return { plugin: name, unique, ...(isComplete ? { data } : { configuration }) };
}
