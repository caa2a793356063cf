import type { SnapshotPlugin } from '../snapshot-plugins.ts';

/** The test plugins' own way to say what stands for a credential with references, as the control plane says it for real ones. */
function referencedKey(name: string, uniqueField: string, secretField: string): NonNullable<SnapshotPlugin['referencedKey']> {
  return (configuration, digestOf) => {
    const unique = configuration[uniqueField];
    const secret = configuration[secretField];
    const isReference = (value: unknown): value is string => typeof value === 'string' && value.startsWith('$');
    if ('_meta' in configuration || !(isReference(unique) || isReference(secret))) return undefined;
    const named = isReference(unique) ? { reference: unique } : { digest: digestOf(String(unique)) };
    if (uniqueField === secretField) return { plugin: name, unique: named };
    return {
      plugin: name,
      unique: named,
      ...(isReference(secret) ? { configuration } : { data: { password_digest: digestOf(String(secret)) } }),
    };
  };
}

/** A plugin that needs the key's digest alone, one that needs the digest of a second text, one that needs a secret in clear, and one without credentials. */
export const TEST_PLUGINS: readonly SnapshotPlugin[] = [
  { name: 'key-auth', type: 'auth', referencedKey: referencedKey('key-auth', 'key', 'key') },
  {
    name: 'basic-auth',
    type: 'auth',
    credentialData: ({ password }, digestOf) => (typeof password === 'string' ? { password_digest: digestOf(password) } : undefined),
    referencedKey: referencedKey('basic-auth', 'username', 'password'),
  },
  { name: 'hmac-auth', type: 'auth', credentialData: ({ secret_key }) => ({ secret_key: secret_key ?? null }) },
  { name: 'limit-count', type: 'other' },
];
