import { CompileError } from './compile-error.ts';
import { RuntimeUpstream, type UpstreamSurroundings } from './runtime-upstream.ts';
import type { ServiceSettings } from './settings.ts';

/** A service as this worker holds it: what its routes are compiled from. */
export interface RuntimeService {
  readonly id: string;
  readonly settings: ServiceSettings;
  readonly upstream: RuntimeUpstream | undefined;
}

/** Prepares a service's upstream, which follows no names before it is attached. @throws CompileError */
export function compileService(id: string, settings: ServiceSettings, surroundings: UpstreamSurroundings): RuntimeService {
  try {
    const upstream = settings.upstream === undefined ? undefined : new RuntimeUpstream(id, settings.upstream, surroundings);
    return { id, settings, upstream };
  } catch (error) {
    throw new CompileError(`service ${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
