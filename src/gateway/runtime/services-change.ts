import type { EffectiveUpstream } from '../../schema/index.ts';
import { compileService, type RuntimeService, type UpstreamSettings } from './compile-service.ts';
import type { Runtime } from './runtime.ts';
import type { ServiceSettings } from './settings.ts';
import type { Slices } from './slices.ts';

const NONE: UpstreamSettings = new Map();

/** What of a change concerns services: they themselves, and their further upstreams, which may come before or after them. */
export class ServicesChange {
  readonly #runtime: Runtime;
  readonly #settings = new Map<string, ServiceSettings | undefined>();
  readonly #upstreams = new Map<string, Map<string, EffectiveUpstream>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** All further upstreams, of those services where one changed. */
  get upstreams(): ReadonlyMap<string, UpstreamSettings> {
    return this.#upstreams;
  }

  put(id: string, settings: ServiceSettings | undefined): void {
    this.#settings.set(id, settings);
  }

  putUpstream(serviceId: string, id: string, settings: EffectiveUpstream | undefined): void {
    const upstreams = this.#upstreams.get(serviceId) ?? new Map(this.#runtime.upstreams.get(serviceId));
    this.#upstreams.set(serviceId, upstreams);
    if (settings === undefined) upstreams.delete(id);
    else upstreams.set(id, settings);
  }

  /** The services after the change, of those for which anything changed. @throws CompileError */
  async compile(slices: Slices): Promise<ReadonlyMap<string, RuntimeService | undefined>> {
    const { services, upstreams, options } = this.#runtime;
    const compiled = new Map<string, RuntimeService | undefined>();
    for (const id of new Set([...this.#settings.keys(), ...this.#upstreams.keys()])) {
      const settings = this.#settings.has(id) ? this.#settings.get(id) : services.get(id)?.settings;
      const others = this.#upstreams.get(id) ?? upstreams.get(id) ?? NONE;
      compiled.set(id, settings === undefined ? undefined : compileService(id, settings, others, options));
      await slices.pause();
    }
    return compiled;
  }
}
