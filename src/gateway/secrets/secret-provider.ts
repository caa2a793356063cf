import type { JsonObject } from '../../lib/json.ts';
import type { OutgoingCalls } from '../../plugin-kit/index.ts';
import type { SecretContent } from './secret-content.ts';
import { SecretError } from './secret-error.ts';

/** Reads one secret from where a provider's configuration says. @throws SecretError (as a rejection) */
export type ReadSecret = (configuration: JsonObject, name: string) => Promise<SecretContent>;

/** How secrets are asked for. */
export interface ManagerSurroundings {
  readonly calls: OutgoingCalls;
  /** Wall clock. */
  readonly nowMs: () => number;
}

/** A field of a provider that must be there. @throws SecretError */
export function requiredField(configuration: JsonObject, name: string): string {
  const value = optionalField(configuration, name);
  if (value === undefined) throw new SecretError('failed', `the provider has no ${name}`);
  return value;
}

export function optionalField(configuration: JsonObject, name: string): string | undefined {
  const value = Object.hasOwn(configuration, name) ? configuration[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The segments of a path, escaped. Empty ones are left out. */
export function escapedPath(...parts: readonly string[]): string {
  return parts
    .flatMap((part) => part.split('/'))
    .filter((segment) => segment !== '')
    .map(encodeURIComponent)
    .join('/');
}

export function withoutLastSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
