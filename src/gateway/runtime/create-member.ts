import { hash } from 'node:crypto';
import {
  type AnyPlugin,
  instantiatePlugin,
  type JsonObject,
  type PluginInstance,
  type PluginSetup,
  type ReadPlugin,
} from '../../plugin-kit/index.ts';
import { asUpstreamDocument, readUpstream } from '../../schema/index.ts';
import { bodyUseOf } from './body-use.ts';
import { CompileError } from './compile-error.ts';
import { configuredIdentity, isIdentityName } from './configured-identity.ts';
import type { OwnedPlugin } from './owned-plugins.ts';
import type { ChainMember, PluginCatalogue } from './plugin-chain.ts';
import type { MetadataOf, PluginServices } from './plugin-services.ts';
import { PluginUpstream } from './plugin-upstream.ts';
import { RuntimeUpstream, type UpstreamSurroundings } from './runtime-upstream.ts';

/** What members are made with. */
export interface MemberSurroundings extends UpstreamSurroundings {
  readonly catalogue: PluginCatalogue;
  readonly services: PluginServices;
  readonly metadataOf: MetadataOf;
  /** Told when a plugin's `dispose` throws. */
  readonly onDisposeFailed: DisposeFailed;
}

/** Told when a plugin's `dispose` throws. */
export type DisposeFailed = (plugin: string, error: unknown) => void;

const HASH_DIGITS = 16;

/**
 * Creates a plugin's state for one configuration, with its upstreams and the plugins inside it.
 *
 * @throws CompileError for an unknown plugin, an invalid configuration or a plugin whose `create` throws; nothing stays created
 */
export function createMember(name: string, owned: OwnedPlugin, surroundings: MemberSurroundings): ChainMember {
  const entry = surroundings.catalogue.get(name);
  // Serving the route without a plugin it asks for could let in whom that plugin keeps out.
  if (entry === undefined) throw new CompileError(`plugin ${name} is unknown to this version`);
  const made: (() => void)[] = [];
  const undo = (): void => {
    for (const end of made.splice(0).reverse()) end();
  };
  try {
    const identityHeaders = [...checkedIdentity(entry.plugin, owned.read)];
    const instance = instantiate(entry.plugin, owned, surroundings, made, identityHeaders);
    const held = { ...instance, dispose: () => disposeAll(name, instance, undo, surroundings) };
    return {
      name,
      number: entry.number,
      instance: held,
      identityHeaders,
      nested: nestedNames(owned.read),
      bodyUse:
        owned.read.kind === 'ready' ? bodyUseOf([owned.read.configuration, owned.read.meta.filter, surroundings.metadataOf(name)]) : 0,
      isProduct: entry.isProduct,
    };
  } catch (error) {
    undo();
    if (error instanceof CompileError) throw error;
    throw new CompileError(`plugin ${name} does not take its configuration`, { cause: error });
  }
}

function nestedNames(read: ReadPlugin): readonly string[] {
  return read.kind === 'ready' ? (read.nested ?? []).map(({ name }) => name) : [];
}

/** @throws CompileError for a name that would stand for all headers, or for none */
function checkedIdentity(plugin: AnyPlugin, read: ReadPlugin): readonly string[] {
  const names = configuredIdentity(plugin, read);
  if (!names.every(isIdentityName)) throw new CompileError(`plugin ${plugin.name} names an identity header without a name`);
  return names;
}

function instantiate(
  plugin: AnyPlugin,
  owned: OwnedPlugin,
  surroundings: MemberSurroundings,
  made: (() => void)[],
  identityHeaders: string[],
): PluginInstance {
  const { read } = owned;
  if (read.kind !== 'ready') return instantiatePlugin(plugin, read, setupOf(plugin, owned, surroundings, made, {}));
  const upstreams = (plugin.upstreams?.(read.configuration) ?? []).map((document, index) =>
    attachUpstream(document, index, owned, surroundings, made),
  );
  const nested = (read.nested ?? []).map(({ name, read: inner }) => {
    const member = createMember(name, { read: inner, owner: owned.owner }, surroundings);
    made.push(() => member.instance.dispose());
    identityHeaders.push(...member.identityHeaders);
    return member.instance;
  });
  return instantiatePlugin(plugin, read, setupOf(plugin, owned, surroundings, made, read.configuration, upstreams, nested));
}

function attachUpstream(
  document: JsonObject,
  index: number,
  { owner }: OwnedPlugin,
  surroundings: MemberSurroundings,
  made: (() => void)[],
): PluginUpstream {
  const upstream = new RuntimeUpstream(`${owner.kind} ${owner.id}`, readUpstream(asUpstreamDocument(document)), surroundings);
  upstream.attach();
  made.push(() => upstream.detach());
  return new PluginUpstream(index, upstream);
}

function setupOf(
  plugin: AnyPlugin,
  { owner }: OwnedPlugin,
  { services, metadataOf, onDisposeFailed }: MemberSurroundings,
  made: (() => void)[],
  configuration: JsonObject,
  upstreams: readonly PluginUpstream[] = [],
  nested: readonly PluginInstance[] = [],
): PluginSetup {
  return {
    owner,
    configurationHash: hash('sha256', JSON.stringify(configuration), 'hex').slice(0, HASH_DIGITS),
    metadata: metadataOf(plugin.name),
    clock: services.clock,
    expiryClock: services.expiryClock,
    random: services.random,
    log: services.logOf(plugin.name),
    counters: services.counters,
    counterServer: (server, syncIntervalMs) => {
      const { counters, release } = services.leaseCounterServer(server, syncIntervalMs);
      made.push(() => void release().catch((error: unknown) => onDisposeFailed(plugin.name, error)));
      return counters;
    },
    records: services.records,
    metrics: services.metrics,
    calls: services.calls,
    files: services.files,
    upstreams,
    nested,
    hostName: services.hostName,
    httpsPort: services.httpsPort,
    version: services.version,
  };
}

function disposeAll(name: string, instance: PluginInstance, undo: () => void, { onDisposeFailed }: MemberSurroundings): void {
  try {
    instance.dispose();
  } catch (error) {
    onDisposeFailed(name, error);
  }
  undo();
}
