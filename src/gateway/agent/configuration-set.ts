import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../lib/json.ts';
import type { EffectiveUpstream, TlsItem, TlsItemKind } from '../../schema/index.ts';
import type { ConsumerNeeds, PluginSettings, RouteSettings, ServiceSettings, StreamRouteSettings } from '../runtime/settings.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import type { CompiledKind } from './read-item.ts';
import { RouteNumbers, streamRouteKey } from './route-numbers.ts';
import { isTlsKind, namesOfTlsKey, tlsKey } from './tls-key.ts';
import { namesOfUpstreamKey, upstreamKey } from './upstream-key.ts';

/** Changes that go to a worker in one message: small enough that neither side is busy with it for long. */
const CHANGES_PER_MESSAGE = 200;

/** What workers compile, as it is in force and as every worker that starts must get it. */
export class ConfigurationSet {
  readonly services = new Map<string, ServiceSettings>();
  /** Upstreams beside those inside services, by `upstreamKey`. */
  readonly upstreams = new Map<string, EffectiveUpstream>();
  readonly routes = new Map<string, RouteSettings>();
  readonly streamRoutes = new Map<string, StreamRouteSettings>();
  readonly globalRules = new Map<string, PluginSettings>();
  /** By the plugin's name, defaults in place. */
  readonly pluginMetadata = new Map<string, JsonObject>();
  /** Of the few consumers that need anything. */
  readonly consumerNeeds = new Map<string, ConsumerNeeds>();
  /** By kind and id. */
  readonly tlsItems = new Map<string, TlsItem>();
  readonly numbers = new RouteNumbers();

  /** Takes changes that the workers have taken. */
  apply(changes: readonly RuntimeChange[]): void {
    for (const change of changes) this.#applyOne(change);
  }

  /** Ids of what is in force of a kind. */
  idsOf(kind: CompiledKind): Iterable<string> {
    if (!isTlsKind(kind)) return this.#mapOf(kind).keys();
    return [...this.tlsItems.keys()].map(namesOfTlsKey).flatMap((names) => (names.kind === kind ? [names.id] : []));
  }

  /** Whether a change would change nothing. */
  holds(change: RuntimeChange): boolean {
    switch (change.op) {
      case 'put-service':
        return isDeepStrictEqual(this.services.get(change.id), change.settings);
      case 'put-upstream':
        return isDeepStrictEqual(this.upstreams.get(upstreamKey(change.serviceId, change.id)), change.settings);
      case 'put-route':
        return isDeepStrictEqual(this.routes.get(change.id), change.settings);
      case 'put-stream-route':
        return isDeepStrictEqual(this.streamRoutes.get(change.id), change.settings);
      case 'put-global-rule':
        return isDeepStrictEqual(this.globalRules.get(change.id), change.settings);
      case 'put-plugin-metadata':
        return isDeepStrictEqual(this.pluginMetadata.get(change.plugin), change.value);
      case 'put-tls-item':
        return isDeepStrictEqual(this.tlsItems.get(tlsKey(change.kind, change.id)), change.settings);
      case 'delete-tls-item':
        return !this.tlsItems.has(tlsKey(change.kind, change.id));
      case 'put-consumer-needs':
        return isDeepStrictEqual(this.consumerNeeds.get(change.id), change.needs);
      case 'delete-consumer-needs':
        return !this.consumerNeeds.has(change.id);
      case 'delete-service':
        return !this.services.has(change.id);
      case 'delete-upstream':
        return !this.upstreams.has(upstreamKey(change.serviceId, change.id));
      case 'delete-route':
        return !this.routes.has(change.id);
      case 'delete-stream-route':
        return !this.streamRoutes.has(change.id);
      case 'delete-global-rule':
        return !this.globalRules.has(change.id);
      case 'delete-plugin-metadata':
        return !this.pluginMetadata.has(change.plugin);
    }
  }

  /** Everything, as changes to an empty worker. May be read slowly: what changes meanwhile must be sent after it. */
  *parts(): Generator<readonly RuntimeChange[]> {
    let part: RuntimeChange[] = [];
    for (const change of this.#all()) {
      part.push(change);
      if (part.length < CHANGES_PER_MESSAGE) continue;
      yield part;
      part = [];
    }
    if (part.length > 0) yield part;
  }

  #mapOf(kind: Exclude<CompiledKind, TlsItemKind>): ReadonlyMap<string, unknown> {
    switch (kind) {
      case 'service':
        return this.services;
      case 'upstream':
        return this.upstreams;
      case 'route':
        return this.routes;
      case 'stream_route':
        return this.streamRoutes;
      case 'global_rule':
        return this.globalRules;
      case 'plugin_metadata':
        return this.pluginMetadata;
    }
  }

  *#all(): Generator<RuntimeChange> {
    for (const [key, settings] of this.tlsItems) yield { op: 'put-tls-item', ...namesOfTlsKey(key), settings };
    for (const [plugin, value] of this.pluginMetadata) yield { op: 'put-plugin-metadata', plugin, value };
    for (const [id, needs] of this.consumerNeeds) yield { op: 'put-consumer-needs', id, needs };
    for (const [id, settings] of this.globalRules) yield { op: 'put-global-rule', id, settings };
    for (const [key, settings] of this.upstreams) yield { op: 'put-upstream', ...namesOfUpstreamKey(key), settings };
    for (const [id, settings] of this.services) yield { op: 'put-service', id, settings };
    for (const [id, settings] of this.routes) yield { op: 'put-route', id, number: this.numbers.numberOf(id), settings };
    for (const [id, settings] of this.streamRoutes) {
      yield { op: 'put-stream-route', id, number: this.numbers.numberOf(streamRouteKey(id)), settings };
    }
  }

  #applyOne(change: RuntimeChange): void {
    switch (change.op) {
      case 'put-service':
        this.services.set(change.id, change.settings);
        return;
      case 'delete-service':
        this.services.delete(change.id);
        return;
      case 'put-upstream':
        this.upstreams.set(upstreamKey(change.serviceId, change.id), change.settings);
        return;
      case 'delete-upstream':
        this.upstreams.delete(upstreamKey(change.serviceId, change.id));
        return;
      case 'put-route':
        this.routes.set(change.id, change.settings);
        return;
      case 'delete-route':
        this.routes.delete(change.id);
        this.numbers.forget(change.id);
        return;
      case 'put-stream-route':
        this.streamRoutes.set(change.id, change.settings);
        return;
      case 'delete-stream-route':
        this.streamRoutes.delete(change.id);
        this.numbers.forget(streamRouteKey(change.id));
        return;
      case 'put-global-rule':
        this.globalRules.set(change.id, change.settings);
        return;
      case 'delete-global-rule':
        this.globalRules.delete(change.id);
        return;
      case 'put-plugin-metadata':
        this.pluginMetadata.set(change.plugin, change.value);
        return;
      case 'delete-plugin-metadata':
        this.pluginMetadata.delete(change.plugin);
        return;
      case 'put-tls-item':
        this.tlsItems.set(tlsKey(change.kind, change.id), change.settings);
        return;
      case 'delete-tls-item':
        this.tlsItems.delete(tlsKey(change.kind, change.id));
        return;
      case 'put-consumer-needs':
        this.consumerNeeds.set(change.id, change.needs);
        return;
      case 'delete-consumer-needs':
        this.consumerNeeds.delete(change.id);
    }
  }
}

/** Splits changes into messages. */
export function* inMessages(changes: readonly RuntimeChange[]): Generator<readonly RuntimeChange[]> {
  for (let start = 0; start < changes.length; start += CHANGES_PER_MESSAGE) yield changes.slice(start, start + CHANGES_PER_MESSAGE);
}
