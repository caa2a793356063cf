export { type OpenSecretValues, type OpenSecretValuesOptions, openSecretValues } from './open-secret-values.ts';
export { referencesOfItem } from './references-of-item.ts';
export { type CredentialPlugin, resolveKeys } from './resolve-keys.ts';
export { resolvePluginSettings } from './resolve-plugin-settings.ts';
export { type SecretProviders, SecretValues } from './secret-values.ts';
