import type { PluginSetup } from '../../plugin-kit/index.ts';

/**
 * What stands before the key in the name of a counter (APISIX, limit-*): the object that holds the plugin and its configuration, so that
 * two routes never share a counter, and a changed plugin counts anew.
 */
export function counterPrefix({ owner, configurationHash }: Pick<PluginSetup, 'owner' | 'configurationHash'>): string {
  return `/${owner.kind}s/${owner.id}:${configurationHash}:`;
}
