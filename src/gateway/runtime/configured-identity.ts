import type { PluginSchema, ReadPlugin } from '../../plugin-kit/index.ts';

/** What must be known of a plugin to tell by which headers it asserts an identity. */
export type IdentityPlugin = Partial<Pick<PluginSchema, 'identityHeaders'>>;

/** Headers by which a configuration asserts an identity, beside those that its plugin always declares; not those of plugins inside it. */
export function configuredIdentity(plugin: IdentityPlugin, read: ReadPlugin): readonly string[] {
  const { identityHeaders } = plugin;
  return typeof identityHeaders === 'function' && read.kind === 'ready' ? identityHeaders(read.configuration) : [];
}

/** Whether a header can be cut by this name: it must not stand for all headers, or for none. */
export function isIdentityName(name: string): boolean {
  return name.replace(/\*$/, '') !== '';
}
