import type { PluginSchema } from '../plugin-kit/index.ts';
import { keyAuthSchema } from './key-auth/schema.ts';

/** Every plugin as the control plane knows it. No request code is loaded from here. */
export const PLUGIN_SCHEMAS: readonly PluginSchema[] = Object.freeze([keyAuthSchema]);
