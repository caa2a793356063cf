import type { JsonObject } from '../../lib/json.ts';

type Resources = Readonly<Record<string, JsonObject>>;

/** A configuration as it would be written through the Admin API, by ids. */
export interface GatewayDefinition {
  readonly services?: Resources;
  /** By the id of the service, then by id: those beside the one inside the service. */
  readonly upstreams?: Readonly<Record<string, Resources>>;
  readonly routes?: Resources;
  readonly consumers?: Resources;
  /** By the name of the consumer, then by id. */
  readonly credentials?: Readonly<Record<string, Resources>>;
  readonly globalRules?: Resources;
  /** By the name of the plugin. */
  readonly pluginMetadata?: Resources;
}
