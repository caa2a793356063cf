/** Where a `plugins` object stands; it decides which of a plugin's schemas holds. */
export type PluginSite = 'service' | 'route' | 'stream_route' | 'consumer' | 'credential' | 'global_rule';
