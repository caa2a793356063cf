import type { JsonObject } from '../../lib/json.ts';
import { readService, type Service } from '../../schema/index.ts';
import { CompileError } from './compile-error.ts';
import { RuntimeUpstream, type UpstreamSurroundings } from './runtime-upstream.ts';

/** A service as this worker holds it: what its routes are compiled from. */
export interface RuntimeService {
  readonly id: string;
  readonly settings: Service;
  readonly upstream: RuntimeUpstream | undefined;
}

/** Reads a service and prepares its upstream, which follows no names before it is attached. @throws CompileError */
export function compileService(id: string, value: JsonObject, surroundings: UpstreamSurroundings): RuntimeService {
  try {
    const settings = readService(value);
    const upstream = settings.upstream === undefined ? undefined : new RuntimeUpstream(settings.upstream, surroundings);
    return { id, settings, upstream };
  } catch (error) {
    throw new CompileError(`service ${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
