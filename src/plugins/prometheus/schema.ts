import { type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { REQUEST_METRICS } from './metric-definitions.ts';

/** The configuration on a route or service, defaults in place. */
export interface PrometheusConfiguration {
  readonly prefer_name: boolean;
}

/** The plugin's metadata. */
export interface PrometheusMetadata {
  /** By the metric's name without `apisix_`. */
  readonly disabled_labels?: Readonly<Record<string, readonly string[] | undefined>>;
}

/** Labels without which a metric would add up what does not belong together. */
const NEEDED_LABELS: readonly string[] = ['code', 'type'];

const disabledLabels = Object.fromEntries(
  REQUEST_METRICS.map(({ key, definition }) => {
    const names = definition.labels.filter((label) => !NEEDED_LABELS.includes(label));
    const description = `Labels of ${definition.name} that are exported empty`;
    return [key, Type.Optional(Type.Array(Type.Unsafe<string>({ type: 'string', enum: names }), { uniqueItems: true, description }))];
  }),
);

/** What can be configured of prometheus: fields and defaults of APISIX's plugin, for the metrics that there are here. */
export const prometheusSchema: PluginSchema = {
  name: 'prometheus',
  version: '0.2',
  priority: 500,
  type: 'other',
  runsOnStreams: true,
  schema: Type.Object({
    prefer_name: Type.Optional(
      Type.Boolean({ default: false, description: 'Label requests with the names of route and service in place of their ids' }),
    ),
  }),
  metadataSchema: Type.Object({
    disabled_labels: Type.Optional(
      Type.Object(disabledLabels, { additionalProperties: false, description: 'Labels that are exported empty, by metric' }),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
};
