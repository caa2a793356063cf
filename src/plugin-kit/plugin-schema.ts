import type { JsonObject } from '../lib/json.ts';
import type { Issue, PluginSite, TSchema } from '../schema/index.ts';

/** A plugin's configuration inside another's. */
export interface NestedPlugin {
  readonly name: string;
  readonly configuration: JsonObject;
}

/** The id of a service's upstream in a configuration, and where it stands. */
export interface UpstreamReference {
  /** Relative to the configuration. */
  readonly pointer: string;
  readonly id: string;
}

/** What may be known where a configuration or metadata is written. */
export interface PluginFacts {
  /** The metadata of a plugin in the group, as it is stored; without this function it is not known, and nothing is said for the lack of it. */
  readonly metadataOf?: (plugin: string) => JsonObject | undefined;
  /** Absolute paths of files and folders of the product itself. */
  readonly closedFolders?: readonly string[];
  /** It is for connections, not for requests: on a stream route or on a service of that type. */
  readonly isForStreams?: boolean;
}

/** What a plugin's own check may look at beside the configuration. */
export interface CheckContext extends PluginFacts {
  readonly site: PluginSite;
  readonly schemas: readonly PluginSchema[];
  /** The configuration was accepted before and is read again by a gateway: only what it could not run with is to be told. */
  readonly isStored?: boolean;
}

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
  /** It has phases for stream routes. What has none is refused there: nobody should rely on it. */
  readonly runsOnStreams?: boolean;
  /** Configuration on routes, services and global rules; of plugins that are not of type `auth` also on consumers. */
  readonly schema: TSchema;
  /** Configuration on consumers and credentials; only plugins of type `auth` have one of their own. */
  readonly consumerSchema?: TSchema;
  /** The plugin's metadata, one for each gateway group. */
  readonly metadataSchema?: TSchema;
  /** Texts of the metadata that are encrypted at rest: paths of names as in `/collector/request_headers/*`, where `*` is every name. */
  readonly metadataSecrets?: readonly string[];
  /** Names of top-level string fields of `consumerSchema` (or else `schema`) that are encrypted at rest. */
  readonly secretFields: readonly string[];
  /** The top-level field of `consumerSchema` whose value may occur once in a gateway group and by which requests are matched. */
  readonly uniqueField?: string;
  /**
   * What gateways get of a credential beyond the digest of its unique value; without it nothing. `digestOf` gives the installation's
   * salted digest of a text in base64. Texts that gateways need not know in clear are given as digests. `configuration` is as it was
   * written, without defaults. Undefined for a credential by which nobody can get in: gateways do not learn of it.
   */
  readonly credentialData?: (configuration: JsonObject, digestOf: (text: string) => string) => JsonObject | undefined;
  /**
   * Headers by which this plugin tells the upstream who called: cut from every client's request, on every route of the group. A trailing
   * `*` stands for any ending. A function where the configuration names them.
   */
  readonly identityHeaders: readonly string[] | ((configuration: JsonObject) => readonly string[]);
  /** What the schema cannot say of a configuration that it accepts, with APISIX's words; pointers are relative to the configuration. */
  readonly check?: (configuration: JsonObject, context: CheckContext) => readonly Issue[];
  /**
   * The top-level text field by which configurations share state. All in a gateway group that have the same text in it must be equal, defaults
   * counted in; a write that differs from what another resource holds is refused (`<field> conf mismatched`).
   */
  readonly sharedField?: string;
  /** The same of metadata; pointers are relative to it. */
  readonly checkMetadata?: (metadata: JsonObject, facts: PluginFacts) => readonly Issue[];
  /** Upstream objects (API7's upstream schema) that the configuration brings. */
  readonly upstreams?: (configuration: JsonObject) => readonly JsonObject[];
  /** Upstreams of the route's service that the configuration names by their ids. Whoever writes one that there is not is warned. */
  readonly upstreamIds?: (configuration: JsonObject) => readonly UpstreamReference[];
  /** Plugins inside the configuration (multi-auth). */
  readonly nestedPlugins?: (configuration: JsonObject) => readonly NestedPlugin[];
}
