import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/logger.ts';
import { parseServiceAddress } from '../../schema/index.ts';
import type { NameResolver, ServiceRecord } from '../names/index.ts';
import type { DiscoveredNode, Discovery, DiscoveryListener } from './discovery.ts';
import { nodesOfAddresses, nodesOfRecords } from './dns-nodes.ts';

/** What discovery by DNS is made with. */
export interface DnsDiscoveryOptions {
  /** Resolves the names of nodes; shared with whoever else needs names. */
  readonly resolver: NameResolver;
  /** SRV records, as `SystemNameSources.resolveSrv` gives them. */
  readonly resolveSrv: (name: string) => Promise<readonly ServiceRecord[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface Followed {
  readonly serviceName: string;
  readonly host: string;
  readonly port: number | undefined;
  uses: number;
  /** Undefined: there are none, or nobody knows yet. */
  records: readonly ServiceRecord[] | undefined;
  /** The names that the resolver keeps for it. */
  names: readonly string[];
  isAnswered: boolean;
  hasFailed: boolean;
  nodes: readonly DiscoveredNode[] | undefined;
  cancelNext: CancelTask | undefined;
}

/** Node tells no time to live of SRV records. */
const REFRESH_MS = 5000;

/**
 * Discovery by DNS: `service_name` is a name, with or without a port. Its SRV records say where the nodes are; without any its A and AAAA
 * records do. Names are resolved as those of nodes are. A failure changes nothing that is known.
 */
export class DnsDiscovery implements Discovery {
  readonly #options: DnsDiscoveryOptions;
  readonly #services = new Map<string, Followed>();
  readonly #listeners: DiscoveryListener[] = [];
  readonly #waiters = new Set<() => void>();
  readonly #stopListening: () => void;

  constructor(options: DnsDiscoveryOptions) {
    this.#options = options;
    this.#stopListening = options.resolver.onChange((name) => {
      for (const service of this.#services.values()) if (service.names.includes(name)) this.#renew(service);
    });
  }

  retain(serviceName: string): void {
    const known = this.#services.get(serviceName);
    if (known !== undefined) {
      known.uses++;
      return;
    }
    const { host, port } = parseServiceAddress(serviceName) ?? { host: serviceName, port: undefined };
    const service: Followed = {
      serviceName,
      host,
      port,
      uses: 1,
      records: undefined,
      names: [],
      isAnswered: false,
      hasFailed: false,
      nodes: undefined,
      cancelNext: undefined,
    };
    this.#services.set(serviceName, service);
    void this.#look(service);
  }

  release(serviceName: string): void {
    const service = this.#services.get(serviceName);
    if (service === undefined || --service.uses > 0) return;
    this.#services.delete(serviceName);
    service.cancelNext?.();
    for (const name of service.names) this.#options.resolver.release(name);
    this.#wake();
  }

  nodesOf(serviceName: string): readonly DiscoveredNode[] | undefined {
    return this.#services.get(serviceName)?.nodes;
  }

  onChange(listener: DiscoveryListener): void {
    this.#listeners.push(listener);
  }

  async resolved(serviceNames: readonly string[], timeoutMs: number): Promise<void> {
    const isAnswered = (name: string): boolean => this.#services.get(name)?.isAnswered !== false;
    if (serviceNames.every(isAnswered)) return;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        cancel();
        this.#waiters.delete(check);
        resolve();
      };
      const check = (): void => {
        if (serviceNames.every(isAnswered)) finish();
      };
      const cancel = this.#options.clock.schedule(timeoutMs, finish);
      this.#waiters.add(check);
    });
  }

  close(): void {
    this.#stopListening();
    for (const service of this.#services.values()) service.cancelNext?.();
    this.#services.clear();
    this.#wake();
  }

  async #look(service: Followed): Promise<void> {
    const { resolver, clock, random } = this.#options;
    const records = await this.#recordsOf(service);
    if (this.#services.get(service.serviceName) !== service) return;
    service.records = records;
    this.#follow(service, records === undefined ? [service.host] : [...new Set(records.map(({ name }) => name))]);
    // A little earlier by chance, so that services do not come all at once.
    const early = (random.bytes(1)[0] ?? 0) / 2560;
    service.cancelNext = clock.schedule(REFRESH_MS * (1 - early), () => void this.#look(service));
    // The first answer waits for addresses, whoever has been waiting for it.
    if (!service.isAnswered) await resolver.resolved(service.names, REFRESH_MS);
    if (this.#services.get(service.serviceName) !== service) return;
    service.isAnswered = true;
    this.#renew(service);
    this.#wake();
  }

  /** Undefined where there are none; what is known where that cannot be told. */
  async #recordsOf(service: Followed): Promise<readonly ServiceRecord[] | undefined> {
    const { log, resolveSrv } = this.#options;
    // What no server may be asked for (RFC 6761 §6.3).
    if (isIP(service.host) !== 0 || /(?:^|\.)localhost\.?$/i.test(service.host)) return undefined;
    try {
      const records = await resolveSrv(service.host);
      if (service.hasFailed) log.info('a service is found again', { service_name: service.serviceName });
      service.hasFailed = false;
      return records.length === 0 ? undefined : records;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOTFOUND' || code === 'ENODATA') return undefined;
      if (!service.hasFailed && service.records !== undefined) {
        log.warn('the SRV records of a service cannot be read; its last nodes stay', {
          service_name: service.serviceName,
          detail: String(code),
        });
      }
      service.hasFailed = true;
      return service.records;
    }
  }

  /** Has these names resolved instead of those before. */
  #follow(service: Followed, names: readonly string[]): void {
    const { resolver } = this.#options;
    for (const name of names) resolver.retain(name);
    for (const name of service.names) resolver.release(name);
    service.names = names;
  }

  #renew(service: Followed): void {
    const { resolver } = this.#options;
    const { records, host, port } = service;
    const addressesOf = (name: string): readonly string[] => resolver.addressesOf(name) ?? [];
    const nodes = records === undefined ? nodesOfAddresses(addressesOf(host), port) : nodesOfRecords(records, addressesOf, port);
    // Nothing found is nothing known: the last nodes stay.
    if (nodes.length === 0 || isDeepStrictEqual(nodes, service.nodes)) return;
    service.nodes = nodes;
    for (const listener of this.#listeners) listener(service.serviceName);
  }

  #wake(): void {
    for (const check of [...this.#waiters]) check();
  }
}
