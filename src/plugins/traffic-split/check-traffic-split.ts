import { checkVars, type Issue, type JsonObject } from '../../plugin-kit/index.ts';
import { asUpstreamDocument, checkUpstream, issuesBelow, type UpstreamDocument } from '../../schema/index.ts';
import { findInlineUpstreams } from './inline-upstreams.ts';
import type { TrafficSplitConfiguration } from './schema.ts';

/** What the schema cannot say: expressions that do not compile, upstreams that cannot be served. An unknown id may come to be. */
export function checkTrafficSplit(configuration: JsonObject): readonly Issue[] {
  // The parsing border: the schema has vouched for the shape.
  const { rules = [] }: TrafficSplitConfiguration = configuration;
  const issues = rules.flatMap(({ match = [] }, rule) =>
    match.flatMap(({ vars = null }, index) => checkVars(vars, `/rules/${rule}/match/${index}/vars`)),
  );
  return [...issues, ...findInlineUpstreams(configuration).flatMap(checkInline)];
}

function checkInline({ rule, entry, document }: ReturnType<typeof findInlineUpstreams>[number]): readonly Issue[] {
  const upstream = asUpstreamDocument(document);
  return issuesBelow(`/rules/${rule}/weighted_upstreams/${entry}/upstream`, [...checkUpstream(upstream), ...checkPorts(upstream)]);
}

/** Ports of a list are bounded by the schema, those behind a colon are text. */
function checkPorts({ nodes = [] }: UpstreamDocument): readonly Issue[] {
  return nodes.flatMap(({ port }, index) =>
    port >= 1 && port <= 65_535 ? [] : [{ pointer: `/nodes/${index}/port`, message: 'value must be a port' }],
  );
}
