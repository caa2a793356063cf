import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { PluginSchema } from '../../plugin-kit/index.ts';
import { isJsonObject, type ResourceKind } from '../../schema/index.ts';
import type { ResourceVersion, StoredResource } from '../../store/index.ts';
import { sinceByPointer } from './compare-versions.ts';
import { type EndedCredential, endedCredentials } from './ended-credentials.ts';
import { placeSecrets, valueAt } from './place-secrets.ts';

/** What is there now: with its secrets, and as history knows it. */
export interface CurrentState {
  readonly resource: StoredResource;
  readonly version: ResourceVersion;
}

/** What a restore of one resource comes to. */
export type RestorePlan =
  /** Nothing would change. `ended` are credentials that stay as they are. */
  | { readonly kind: 'same'; readonly ended: readonly EndedCredential[] }
  /** To be written, after the checks of any write. */
  | { readonly kind: 'put'; readonly document: JsonObject; readonly ended: readonly EndedCredential[] }
  /** A credential that ended stays as it is. */
  | { readonly kind: 'ended'; readonly ended: readonly EndedCredential[] }
  /** These secrets are gone, and nobody supplied them. */
  | { readonly kind: 'secrets'; readonly pointers: readonly string[] };

/** What a restore is planned with. */
export interface RestoreOptions {
  readonly schemas: readonly PluginSchema[];
  /** Secrets that the caller gives, by JSON pointer; they go before those that are still there. */
  readonly supplied: ReadonlyMap<string, JsonValue>;
  /** Whether credentials that ended since may come back. */
  readonly revive: boolean;
}

/**
 * Plans to bring a resource back to a version that was a put. A secret is taken from what is there now, if it is still the same one; else
 * from the caller. Credentials on a consumer that ended since are left as they are now, and the rest of the consumer is restored.
 */
export function planRestore(
  kind: ResourceKind,
  then: ResourceVersion,
  now: CurrentState | undefined,
  { schemas, supplied, revive }: RestoreOptions,
): RestorePlan {
  const ended = revive ? [] : endedCredentials(kind, then, now?.version, schemas);
  // A credential is nothing but its plugin.
  if (ended.length > 0 && kind.pluginSite === 'credential') return { kind: 'ended', ended };
  const isKept = (pointer: string): boolean => ended.some((credential) => pointer.startsWith(`${credential.pointer}/`));
  const secrets = new Map<string, JsonValue>();
  const missing: string[] = [];
  const sinceNow = sinceByPointer(now?.version);
  for (const [pointer, since] of sinceByPointer(then)) {
    if (isKept(pointer)) continue;
    const value = supplied.get(pointer) ?? (sinceNow.get(pointer) === since ? now && valueAt(now.resource.document, pointer) : undefined);
    if (value === undefined) missing.push(pointer);
    else secrets.set(pointer, value);
  }
  if (missing.length > 0) return { kind: 'secrets', pointers: missing };
  const document = withCurrentPlugins(placeSecrets(then.document ?? {}, secrets), now?.resource.document, ended);
  return isDeepStrictEqual(document, now?.resource.document) ? { kind: 'same', ended } : { kind: 'put', document, ended };
}

/** The document with the configurations of some plugins as they are now, or without them. */
function withCurrentPlugins(document: JsonObject, now: JsonObject | undefined, ended: readonly EndedCredential[]): JsonObject {
  if (ended.length === 0 || !isJsonObject(document.plugins)) return document;
  const names = new Set(ended.map(({ plugin }) => plugin));
  const current = isJsonObject(now?.plugins) ? Object.entries(now.plugins).filter(([name]) => names.has(name)) : [];
  const plugins = [...Object.entries(document.plugins).filter(([name]) => !names.has(name)), ...current];
  return { ...document, plugins: Object.fromEntries(plugins) };
}
