import type { JsonObject, JsonValue, UpstreamReference } from '../../plugin-kit/index.ts';

/** An upstream that stands in the configuration itself. */
export interface InlineUpstream {
  /** Where it stands: positions of the rule and of the entry in it. */
  readonly rule: number;
  readonly entry: number;
  /** In the form of a service's upstream, reduced to the fields that count here (APISIX traffic-split). */
  readonly document: JsonObject;
}

const FIELDS = ['name', 'type', 'hash_on', 'key', 'pass_host', 'upstream_host', 'timeout', 'scheme'] as const;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** All upstreams that stand in a configuration, in the order in which the plugin gets their handles. One beside an id never counts. */
export function findInlineUpstreams(configuration: JsonObject): readonly InlineUpstream[] {
  return listOf(configuration.rules).flatMap((rule, ruleIndex) =>
    listOf(rule.weighted_upstreams).flatMap((entry, entryIndex) =>
      isObject(entry.upstream) && entry.upstream_id === undefined
        ? [{ rule: ruleIndex, entry: entryIndex, document: documentOf(entry.upstream) }]
        : [],
    ),
  );
}

/** Their documents alone. */
export function inlineUpstreams(configuration: JsonObject): readonly JsonObject[] {
  return findInlineUpstreams(configuration).map(({ document }) => document);
}

/** The upstreams that a configuration names by their ids. */
export function namedUpstreams(configuration: JsonObject): readonly UpstreamReference[] {
  return listOf(configuration.rules).flatMap((rule, ruleIndex) =>
    listOf(rule.weighted_upstreams).flatMap(({ upstream_id: id }, entryIndex) =>
      id === undefined ? [] : [{ pointer: `/rules/${ruleIndex}/weighted_upstreams/${entryIndex}/upstream_id`, id: String(id) }],
    ),
  );
}

function documentOf(upstream: JsonObject): JsonObject {
  const fields = FIELDS.flatMap((name) => (upstream[name] === undefined ? [] : [[name, upstream[name]] as const]));
  const nodes = nodesOf(upstream.nodes, String(upstream.scheme));
  return { ...Object.fromEntries(fields), ...(nodes === undefined ? {} : { nodes }) };
}

/** An object of weights by `host:port` is the older form of the list. */
function nodesOf(nodes: JsonValue | undefined, scheme: string): JsonValue | undefined {
  if (!isObject(nodes)) return nodes;
  return Object.entries(nodes).map(([address, weight]) => {
    const [, host = address, port] = /^(.*?|\[.*\]):(\d{1,5})$/.exec(address) ?? [];
    return { host, port: port === undefined ? (DEFAULT_PORTS[scheme] ?? 80) : Number(port), weight };
  });
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
