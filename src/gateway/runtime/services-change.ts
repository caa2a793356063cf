import type { EffectiveUpstream } from '../../schema/index.ts';
import { compileService, type RuntimeService, type UpstreamSettings, upstreamsOf } from './compile-service.ts';
import type { Runtime } from './runtime.ts';
import type { ServiceSettings } from './settings.ts';
import type { Slices } from './slices.ts';

const NONE: UpstreamSettings = new Map();

/** What of a change concerns services: they themselves, and their further upstreams, which may come before or after them. */
export class ServicesChange {
  readonly #runtime: Runtime;
  readonly #settings = new Map<string, ServiceSettings | undefined>();
  readonly #upstreams = new Map<string, Map<string, EffectiveUpstream>>();
  readonly #compiled = new Map<string, RuntimeService | undefined>();

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

  /**
   * The services after the change, of those for which anything changed. Their nodes are resolved and held already: entering very many in
   * one step with putting them in force would stall the worker. @throws CompileError
   */
  async compile(slices: Slices): Promise<ReadonlyMap<string, RuntimeService | undefined>> {
    const { services, upstreams, options } = this.#runtime;
    for (const id of new Set([...this.#settings.keys(), ...this.#upstreams.keys()])) {
      const settings = this.#settings.has(id) ? this.#settings.get(id) : services.get(id)?.settings;
      const others = this.#upstreams.get(id) ?? upstreams.get(id) ?? NONE;
      const service = settings === undefined ? undefined : compileService(id, settings, others, options);
      this.#compiled.set(id, service);
      for (const upstream of upstreamsOf(service)) {
        upstream.attachAhead();
        await slices.pause();
      }
      await slices.pause();
    }
    return this.#compiled;
  }

  /** Lets go of what was compiled, which is not put in force. */
  abandon(): void {
    detachServices(this.#compiled.values());
  }
}

/** Ends the hold of services that are not in force on their nodes. */
export function detachServices(services: Iterable<RuntimeService | undefined>): void {
  for (const service of services) for (const upstream of upstreamsOf(service)) upstream.detach();
}
