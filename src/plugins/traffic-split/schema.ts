import { type JsonObject, type JsonValue, type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { upstreamSchema } from '../../schema/index.ts';
import { checkTrafficSplit } from './check-traffic-split.ts';
import { inlineUpstreams, namedUpstreams } from './inline-upstreams.ts';

/** One of the upstreams among which a rule divides its requests; without both fields the route's own. */
export interface WeightedUpstream {
  readonly upstream_id?: string | number;
  /** As it was written: `nodes` is an array of objects, or an object of weights by `host:port`. */
  readonly upstream?: JsonObject;
  readonly weight: number;
}

export interface TrafficSplitRule {
  readonly match?: readonly { readonly vars?: JsonValue }[];
  readonly weighted_upstreams: readonly WeightedUpstream[];
}

/** The configuration, defaults in place. */
export interface TrafficSplitConfiguration {
  readonly rules?: readonly TrafficSplitRule[];
}

const MAX_UPSTREAMS = 20;

const weightSchema = { type: 'integer', minimum: 0, maximum: 65_535 };

/** Both forms of APISIX. */
const nodesField = Type.Optional(
  Type.Unsafe<JsonValue>({
    anyOf: [
      {
        type: 'array',
        items: {
          type: 'object',
          required: ['host', 'port', 'weight'],
          properties: {
            host: { type: 'string', minLength: 1 },
            port: { type: 'integer', minimum: 1, maximum: 65_535 },
            weight: weightSchema,
            priority: { type: 'integer' },
          },
        },
      },
      { type: 'object', additionalProperties: weightSchema },
    ],
    description: 'Where requests go: a list of host, port and weight, or an object of weights by `host:port`',
  }),
);

const upstreamField = Type.Unsafe<JsonObject>({
  ...upstreamSchema,
  properties: { ...upstreamSchema.properties, nodes: nodesField },
  description: 'An upstream of its own: its name, type, hash_on, key, pass_host, upstream_host, nodes, timeout and scheme count',
});

const upstreamIdField = Type.Unsafe<string | number>({
  anyOf: [
    { type: 'string', minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' },
    { type: 'integer', minimum: 1 },
  ],
  description: 'An upstream by its id, before one that is written here',
});

const weightedUpstreamSchema = Type.Object({
  upstream_id: Type.Optional(upstreamIdField),
  upstream: Type.Optional(upstreamField),
  weight: Type.Optional(Type.Integer({ minimum: 0, default: 1, description: 'Share of the requests; 0 for none' })),
});

/** What can be configured of traffic-split: fields, limits and defaults of APISIX's plugin. */
export const trafficSplitSchema: PluginSchema = {
  name: 'traffic-split',
  version: '0.1',
  priority: 966,
  type: 'other',
  runsOnStreams: true,
  schema: Type.Object({
    rules: Type.Optional(
      Type.Array(
        Type.Object({
          match: Type.Optional(
            Type.Array(Type.Object({ vars: Type.Optional(Type.Unsafe<JsonValue>({ type: 'array', description: 'An expression' })) }), {
              description: 'Expressions of which one must hold; without it the rule always does',
            }),
          ),
          weighted_upstreams: Type.Optional(
            Type.Array(weightedUpstreamSchema, {
              minItems: 1,
              maxItems: MAX_UPSTREAMS,
              default: [{ weight: 1 }],
              description: 'Upstreams among which the requests are divided; an entry without one stands for the route’s own',
            }),
          ),
        }),
        { description: 'The first rule that holds counts' },
      ),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
  check: checkTrafficSplit,
  upstreams: inlineUpstreams,
  upstreamIds: namedUpstreams,
};
