import type { AnyPlugin } from '../plugin-kit/index.ts';
import { keyAuth } from './key-auth/plugin.ts';

/** Every plugin with its code, as the gateway runs it. */
export const PLUGINS: readonly AnyPlugin[] = Object.freeze([keyAuth]);
