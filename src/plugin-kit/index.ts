export { type AnswerHeaders, type PluginAnswer, type RefusalOptions, refuse, respond } from './answer.ts';
export { describeSecrets, type PluginSecrets, type UniquePluginValue } from './describe-secrets.ts';
export { instantiatePlugin, type PhaseFunction, type PluginInstance } from './instantiate-plugin.ts';
export { type AnyPlugin, definePlugin, type PhaseResult, type Plugin } from './plugin.ts';
export { type PluginMeta, readPluginMeta } from './plugin-meta.ts';
export type { PluginSchema } from './plugin-schema.ts';
export { readPluginConfiguration } from './read-plugin-configuration.ts';
export type { ConsumerMatch, QueryArgument, RequestView } from './request-view.ts';
export { validatePlugins } from './validate-plugins.ts';
