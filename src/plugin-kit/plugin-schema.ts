import type { TSchema } from '../schema/index.ts';

/**
 * The part of a plugin that the control plane knows: what can be configured. It lies apart from the code so that validating
 * a configuration never loads request code.
 */
export interface PluginSchema {
  readonly name: string;
  readonly version: string;
  /** Higher runs first within a phase. */
  readonly priority: number;
  readonly type: 'auth' | 'other';
  /** Configuration on routes and services. */
  readonly schema: TSchema;
  /** Configuration on consumers and credentials; only plugins of type `auth` have one of their own. */
  readonly consumerSchema?: TSchema;
  /** Names of top-level string fields of `consumerSchema` (or else `schema`) that are encrypted at rest. */
  readonly secretFields: readonly string[];
  /** The top-level field of `consumerSchema` whose value may occur once in a gateway group and by which requests are matched. */
  readonly uniqueField?: string;
  /** Headers by which this plugin tells the upstream who called: cut from every client's request, on every route of the group. A trailing `*` stands for any ending. */
  readonly identityHeaders: readonly string[];
}
