import { type EffectiveUpstream, isStreamScheme, type StreamTransport, streamTransportOf } from '../../schema/index.ts';
import { upstreamHealthKey } from '../health/index.ts';
import { CompileError } from './compile-error.ts';
import { PluginUpstream } from './plugin-upstream.ts';
import { RuntimeUpstream, type UpstreamSurroundings } from './runtime-upstream.ts';
import type { ServiceSettings } from './settings.ts';

/** A service as this worker holds it: what its routes are compiled from. */
export interface RuntimeService {
  readonly id: string;
  readonly settings: ServiceSettings;
  readonly upstream: RuntimeUpstream | undefined;
  /** Those beside it, by id. */
  readonly others: ReadonlyMap<string, PluginUpstream>;
}

/** The settings of a service's upstreams beside the one inside it, by id. */
export type UpstreamSettings = ReadonlyMap<string, EffectiveUpstream>;

/** All upstreams of a service; of none where there is no service. */
export function upstreamsOf(service: RuntimeService | undefined): readonly RuntimeUpstream[] {
  if (service === undefined) return [];
  const others = Array.from(service.others.values(), ({ upstream }) => upstream);
  return service.upstream === undefined ? others : [service.upstream, ...others];
}

/** Prepares a service's upstreams, which follow no names before they are attached. @throws CompileError */
export function compileService(
  id: string,
  settings: ServiceSettings,
  others: UpstreamSettings,
  surroundings: UpstreamSurroundings,
): RuntimeService {
  try {
    const upstream =
      settings.upstream === undefined
        ? undefined
        : new RuntimeUpstream(id, settings.upstream, surroundings, upstreamHealthKey(id, undefined));
    // Those of the other kind of service are for nobody here, and what is meant for TLS must never leave in datagrams.
    const usable = [...others].filter(([, { scheme }]) => transportOf(scheme) === settings.stream);
    const prepared = usable.map(
      ([otherId, other], index) => [otherId, new PluginUpstream(index, otherUpstream(id, otherId, other, surroundings))] as const,
    );
    return { id, settings, upstream, others: new Map(prepared) };
  } catch (error) {
    throw new CompileError(`service ${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Undefined for HTTP. */
function transportOf(scheme: string | undefined): StreamTransport | undefined {
  return isStreamScheme(scheme) ? streamTransportOf({ scheme }) : undefined;
}

function otherUpstream(serviceId: string, id: string, settings: EffectiveUpstream, surroundings: UpstreamSurroundings): RuntimeUpstream {
  return new RuntimeUpstream(serviceId, settings, surroundings, upstreamHealthKey(serviceId, id));
}
