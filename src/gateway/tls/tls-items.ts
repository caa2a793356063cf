import { isDeepStrictEqual } from 'node:util';
import type { CertificatePair, TlsItem, TlsItemKind } from '../../schema/index.ts';
import { ClientPolicy } from './client-policy.ts';
import type { TicketKeys } from './ticket-keys.ts';
import { TlsHost, type TlsHostSettings } from './tls-host.ts';
import { TlsHosts } from './tls-hosts.ts';

/** Certificates and hosts that a change brings; undefined for what it takes away. */
export type TlsChanges = ReadonlyMap<string, TlsItem | undefined>;

/** What the certificates of a worker are kept with. */
export interface TlsItemsOptions {
  /** Whom clients get that name no host, or an unknown one. */
  readonly fallbackName: string | undefined;
  readonly ticketKeys: TicketKeys;
  /** Wall-clock milliseconds. */
  readonly nowMs: () => number;
  /** Hears of what cannot be used as it is written. */
  readonly onProblem: (owner: string, text: string) => void;
}

/** A change compiled aside. */
export interface PreparedTls {
  readonly items: TlsChanges;
  readonly hosts: ReadonlyMap<string, TlsHost | undefined>;
  /** Whom a name belongs to, or what is asked of its clients, may be another than before. */
  readonly changesPolicies: boolean;
}

/** Names an item: kinds have ids of their own. */
export function tlsItemKey(kind: TlsItemKind, id: string): string {
  return `${kind}/${id}`;
}

/** All certificates of this worker, and the hosts that are served with them. */
export class TlsItems {
  readonly hosts: TlsHosts;
  readonly #options: TlsItemsOptions;
  readonly #items = new Map<string, TlsItem>();
  readonly #watchers = new Map<string, Set<() => void>>();
  /** Keys of the hosts that are made with an item of another object. */
  readonly #users = new Map<string, Set<string>>();

  constructor(options: TlsItemsOptions) {
    this.hosts = new TlsHosts(options.fallbackName);
    this.#options = options;
  }

  get(key: string): TlsItem | undefined {
    return this.#items.get(key);
  }

  /** From now on `watcher` hears of each change of an item, when it is in force. */
  watch(key: string, watcher: () => void): void {
    this.#watchers.set(key, (this.#watchers.get(key) ?? new Set()).add(watcher));
  }

  unwatch(key: string, watcher: () => void): void {
    const watchers = this.#watchers.get(key);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watchers.delete(key);
  }

  /** Throws nothing: what cannot be used is told, and the host is refused to its clients. */
  prepare(changes: TlsChanges): PreparedTls {
    const affected = new Set(changes.keys());
    for (const key of changes.keys()) for (const user of this.#users.get(key) ?? []) affected.add(user);
    const itemOf = (key: string): TlsItem | undefined => (changes.has(key) ? changes.get(key) : this.#items.get(key));
    const hosts = new Map<string, TlsHost | undefined>();
    let changesPolicies = false;
    for (const key of affected) {
      const item = itemOf(key);
      const before = this.hosts.get(key);
      if (item?.kind !== 'host' && before === undefined) continue;
      const host = item?.kind === 'host' ? this.#compile(key, item, itemOf) : undefined;
      hosts.set(key, host);
      changesPolicies ||= before?.client?.fingerprint !== host?.client?.fingerprint;
      // Another host may get, or lose, a name for which a policy is, or is not, to be kept.
      changesPolicies ||= this.hosts.anyStrict && !sameNames(before, host);
    }
    return { items: changes, hosts, changesPolicies };
  }

  /** Puts a prepared change in force. Connections that were made before stay as they are. */
  commit({ items, hosts }: PreparedTls): void {
    for (const [key, item] of items) {
      this.#unlink(key, this.#items.get(key));
      if (item === undefined) this.#items.delete(key);
      else this.#items.set(key, item);
      this.#link(key, item);
    }
    for (const [key, host] of hosts) this.hosts.put(key, host);
    // Several may have changed: each watcher hears once, of all.
    for (const watcher of new Set([...items.keys()].flatMap((key) => [...(this.#watchers.get(key) ?? [])]))) watcher();
  }

  #compile(owner: string, settings: TlsHostSettings, itemOf: (key: string) => TlsItem | undefined): TlsHost {
    const { ticketKeys, nowMs } = this.#options;
    const onProblem = (text: string): void => this.#options.onProblem(owner, text);
    const pairs = [...settings.pairs, ...settings.certificateIds.flatMap((id) => pairIn(itemOf(tlsItemKey('certificate', id))))];
    const { authorityIds = [] } = settings.client ?? {};
    const authorities = authorityIds.flatMap((id) => authorityIn(itemOf(tlsItemKey('ca_certificate', id))));
    const client = settings.client && new ClientPolicy(owner, settings.client, authorities, { onProblem, nowMs });
    // An authority that is missing is no reason to believe nobody, or everybody: the host waits for it.
    const lacksAuthority = client !== undefined && (authorities.length < authorityIds.length || client.authorities.length === 0);
    const problem = lacksAuthority ? 'an authority that certifies its clients is missing' : undefined;
    if (problem !== undefined) onProblem(problem);
    return new TlsHost({ owner, settings, pairs, client, problem, ticketKeys, onProblem });
  }

  #link(key: string, item: TlsItem | undefined): void {
    for (const used of usedBy(item)) this.#users.set(used, (this.#users.get(used) ?? new Set()).add(key));
  }

  #unlink(key: string, item: TlsItem | undefined): void {
    for (const used of usedBy(item)) {
      const users = this.#users.get(used);
      users?.delete(key);
      if (users?.size === 0) this.#users.delete(used);
    }
  }
}

function sameNames(one: TlsHost | undefined, other: TlsHost | undefined): boolean {
  return one !== undefined && other !== undefined && isDeepStrictEqual(one.names, other.names);
}

function pairIn(item: TlsItem | undefined): readonly CertificatePair[] {
  return item?.kind === 'pair' ? [item.pair] : [];
}

function authorityIn(item: TlsItem | undefined): readonly string[] {
  return item?.kind === 'authority' ? [item.cert] : [];
}

function usedBy(item: TlsItem | undefined): readonly string[] {
  if (item?.kind !== 'host') return [];
  const authorities = item.client?.authorityIds ?? [];
  return [...item.certificateIds.map((id) => tlsItemKey('certificate', id)), ...authorities.map((id) => tlsItemKey('ca_certificate', id))];
}
