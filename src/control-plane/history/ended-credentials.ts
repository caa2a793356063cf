import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isCredential, type PluginSchema, readPluginMeta } from '../../plugin-kit/index.ts';
import { appendPointer, isJsonObject, type ResourceKind } from '../../schema/index.ts';
import type { ResourceVersion } from '../../store/index.ts';
import { sinceByPointer } from './compare-versions.ts';

/** Why a credential of the past does not come back. */
export type EndReason = 'deleted' | 'disabled' | 'replaced';

/** A credential that was ended since a version. */
export interface EndedCredential {
  readonly plugin: string;
  /** JSON pointer of its configuration. */
  readonly pointer: string;
  readonly reason: EndReason;
}

/**
 * The credentials in a version that were deleted, disabled or replaced since, by what is in force now. Any other configuration of an
 * authentication plugin counts as another credential, whichever of its fields lets a client in.
 */
export function endedCredentials(
  kind: ResourceKind,
  then: ResourceVersion,
  now: ResourceVersion | undefined,
  schemas: readonly PluginSchema[],
): readonly EndedCredential[] {
  const { pluginSite } = kind;
  if (pluginSite === undefined) return [];
  const ended: EndedCredential[] = [];
  for (const [plugin, configuration] of Object.entries(pluginsOf(then.document))) {
    if (!schemas.some((schema) => schema.name === plugin && isCredential(schema, pluginSite))) continue;
    const pointer = appendPointer('/plugins', plugin);
    const reason = endReason(configuration, pluginsOf(now?.document)[plugin], secretsBelow(then, pointer), secretsBelow(now, pointer));
    if (reason !== undefined) ended.push({ plugin, pointer, reason });
  }
  return ended;
}

function endReason(
  then: JsonValue,
  now: JsonValue | undefined,
  secretsThen: readonly string[],
  secretsNow: readonly string[],
): EndReason | undefined {
  if (now === undefined) return 'deleted';
  if (readPluginMeta(now).disabled && !readPluginMeta(then).disabled) return 'disabled';
  return isDeepStrictEqual(withoutMeta(then), withoutMeta(now)) && isDeepStrictEqual(secretsThen, secretsNow) ? undefined : 'replaced';
}

/** The secrets of one plugin: where each stands, and since when it holds. */
function secretsBelow(version: ResourceVersion | undefined, pointer: string): readonly string[] {
  return [...sinceByPointer(version)]
    .filter(([secret]) => secret.startsWith(`${pointer}/`))
    .map(([secret, since]) => `${secret} ${since}`)
    .sort();
}

function withoutMeta(configuration: JsonValue): JsonValue {
  if (!isJsonObject(configuration)) return configuration;
  return Object.fromEntries(Object.entries(configuration).filter(([name]) => name !== '_meta'));
}

/** The plugins of a document, without a prototype. */
function pluginsOf(document: JsonObject | undefined): JsonObject {
  const plugins = document !== undefined && Object.hasOwn(document, 'plugins') ? document.plugins : undefined;
  return Object.assign(Object.create(null), isJsonObject(plugins) ? plugins : {});
}
