import type { PluginSettings } from '../runtime/settings.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import type { ConfigurationSet } from './configuration-set.ts';
import { type NamedNodes, nodeNamesOf, type UpstreamPlugin } from './node-names.ts';
import { upstreamKey } from './upstream-key.ts';

const NONE: readonly string[] = [];
const NO_PLUGINS: PluginSettings = new Map();

/** The node names that a change brings. */
export function namesBroughtBy(change: RuntimeChange, plugins: readonly UpstreamPlugin[]): readonly string[] {
  switch (change.op) {
    case 'put-service':
    case 'put-route':
    case 'put-stream-route':
      return nodeNamesOf(change.settings, plugins);
    case 'put-upstream':
      return nodeNamesOf({ upstream: change.settings, plugins: NO_PLUGINS }, plugins);
    case 'put-global-rule':
      return nodeNamesOf({ plugins: change.settings }, plugins);
    case 'put-consumer-needs':
      return change.needs.nodeNames;
    case 'put-plugin-metadata':
    case 'put-tls-item':
    case 'delete-tls-item':
    case 'delete-service':
    case 'delete-upstream':
    case 'delete-route':
    case 'delete-stream-route':
    case 'delete-global-rule':
    case 'delete-plugin-metadata':
    case 'delete-consumer-needs':
      return NONE;
  }
}

/** The node names of what a change takes out of force, which is what the set holds. */
export function namesReplacedBy(change: RuntimeChange, set: ConfigurationSet, plugins: readonly UpstreamPlugin[]): readonly string[] {
  switch (change.op) {
    case 'put-service':
    case 'delete-service':
      return namesIn(set.services.get(change.id), plugins);
    case 'put-upstream':
    case 'delete-upstream':
      return namesIn({ upstream: set.upstreams.get(upstreamKey(change.serviceId, change.id)), plugins: NO_PLUGINS }, plugins);
    case 'put-route':
    case 'delete-route':
      return namesIn(set.routes.get(change.id), plugins);
    case 'put-stream-route':
    case 'delete-stream-route':
      return namesIn(set.streamRoutes.get(change.id), plugins);
    case 'put-global-rule':
    case 'delete-global-rule':
      return namesIn(asNodes(set.globalRules.get(change.id)), plugins);
    case 'put-consumer-needs':
    case 'delete-consumer-needs':
      return set.consumerNeeds.get(change.id)?.nodeNames ?? NONE;
    case 'put-plugin-metadata':
    case 'delete-plugin-metadata':
    case 'put-tls-item':
    case 'delete-tls-item':
      return NONE;
  }
}

function namesIn(nodes: NamedNodes | undefined, plugins: readonly UpstreamPlugin[]): readonly string[] {
  return nodes === undefined ? NONE : nodeNamesOf(nodes, plugins);
}

function asNodes(plugins: PluginSettings | undefined): NamedNodes | undefined {
  return plugins === undefined ? undefined : { plugins };
}
