import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/logger.ts';
import { parseHostsFile } from './hosts-file.ts';
import { lookUpName, type NameFiles } from './look-up-name.ts';
import { type NameSources, systemNameSources } from './name-sources.ts';
import { parseSearchSettings } from './search-list.ts';

/** What a resolver is made with. */
export interface NameResolverOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** This machine's files and servers when absent. */
  readonly sources?: NameSources;
}

/** Addresses of a name: canonical, without repetition, IPv4 before IPv6, in a fixed order. */
export type NameChangeListener = (name: string, addresses: readonly string[]) => void;

interface Entry {
  readonly name: string;
  uses: number;
  /** The last good ones. */
  addresses: readonly string[] | undefined;
  /** An answer has come since the name was retained, good or bad. */
  isAnswered: boolean;
  /** In a row. */
  failures: number;
  isQueued: boolean;
  /** Counts lookups begun: only the answer of the latest counts. */
  lookups: number;
  cancelNext: CancelTask | undefined;
}

const SHORTEST_MS = 1000;
const LONGEST_MS = 300_000;
const LONGEST_RETRY_MS = 30_000;
const FILE_CHECK_MS = 5000;
const MOST_LOOKUPS_AT_ONCE = 32;

/**
 * Keeps names resolved in the background, for as long as they are retained: the hosts file first, then A and AAAA records, asked
 * again when their time to live has passed (at least 1 s, at most 300 s). Addresses once found stay when a later answer fails.
 * Changed files are noticed within 5 s and all names are then asked anew. Nothing here is ever on a request's path.
 */
export class NameResolver {
  readonly #options: NameResolverOptions;
  readonly #sources: NameSources;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<NameChangeListener>();
  readonly #waiters = new Set<() => void>();
  readonly #queue: Entry[] = [];
  #lookups = 0;
  #failedLookups = 0;
  #files: Promise<NameFiles> | undefined;
  #fileTexts = '';
  #cancelFileCheck: CancelTask | undefined;
  #isClosed = false;

  constructor(options: NameResolverOptions) {
    this.#options = options;
    this.#sources = options.sources ?? systemNameSources();
  }

  /** Lookups that failed since the start, for a metric. */
  get failedLookups(): number {
    return this.#failedLookups;
  }

  /** Keeps the name resolved until it has been released as often as retained. An IP literal needs nothing. */
  retain(name: string): void {
    if (canonicalAddress(name) !== undefined) return;
    const known = this.#entries.get(name);
    if (known !== undefined) {
      known.uses += 1;
      return;
    }
    const entry: Entry = {
      name,
      uses: 1,
      addresses: undefined,
      isAnswered: false,
      failures: 0,
      isQueued: false,
      lookups: 0,
      cancelNext: undefined,
    };
    this.#entries.set(name, entry);
    this.#enqueue(entry);
    this.#cancelFileCheck ??= this.#options.clock.schedule(FILE_CHECK_MS, () => void this.#checkFiles());
  }

  release(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.uses -= 1;
    if (entry.uses > 0) return;
    this.#entries.delete(name);
    entry.cancelNext?.();
    this.#wake();
  }

  /** The last good addresses; undefined when the name is not retained or never resolved. An IP literal is its own address. */
  addressesOf(name: string): readonly string[] | undefined {
    const literal = canonicalAddress(name);
    return literal === undefined ? this.#entries.get(name)?.addresses : [literal];
  }

  /** Calls the listener whenever the addresses of a retained name differ from before. Gives back how to stop. */
  onChange(listener: NameChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when each of these names that is retained has an answer (good or bad), at the latest after `timeoutMs`. Never rejects. */
  resolved(names: readonly string[], timeoutMs: number): Promise<void> {
    const isDone = () => names.every((name) => this.#entries.get(name)?.isAnswered !== false);
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        cancel();
        this.#waiters.delete(check);
        resolve();
      };
      const check = () => {
        if (isDone()) finish();
      };
      const cancel = this.#options.clock.schedule(timeoutMs, finish);
      this.#waiters.add(check);
    });
  }

  /** Ends all pending work; names stay as they are. */
  close(): void {
    this.#isClosed = true;
    this.#cancelFileCheck?.();
    for (const entry of this.#entries.values()) entry.cancelNext?.();
    this.#entries.clear();
    this.#queue.length = 0;
    this.#wake();
  }

  #enqueue(entry: Entry): void {
    if (entry.isQueued || this.#isClosed) return;
    entry.isQueued = true;
    entry.cancelNext?.();
    entry.cancelNext = undefined;
    this.#queue.push(entry);
    this.#startLookups();
  }

  #startLookups(): void {
    while (this.#lookups < MOST_LOOKUPS_AT_ONCE) {
      const entry = this.#queue.shift();
      if (entry === undefined) return;
      entry.isQueued = false;
      if (this.#entries.get(entry.name) !== entry) continue;
      this.#lookups += 1;
      void this.#lookUp(entry);
    }
  }

  async #lookUp(entry: Entry): Promise<void> {
    entry.lookups += 1;
    const lookup = entry.lookups;
    try {
      this.#files ??= this.#readFiles();
      const found = await lookUpName(entry.name, await this.#files, this.#sources, entry.addresses ?? []);
      if (this.#isCurrent(entry, lookup)) this.#succeed(entry, found.addresses, found.ttlSeconds);
    } catch (error) {
      if (this.#isCurrent(entry, lookup)) this.#fail(entry, error);
    } finally {
      this.#lookups -= 1;
      this.#wake();
      this.#startLookups();
    }
  }

  /** A name released meanwhile is of no interest, even when it was retained again since. */
  #isCurrent(entry: Entry, lookup: number): boolean {
    return !this.#isClosed && entry.lookups === lookup && this.#entries.get(entry.name) === entry;
  }

  #succeed(entry: Entry, addresses: readonly string[], ttlSeconds: number | undefined): void {
    if (entry.failures > 0) this.#options.log.info('name resolves again', { name: entry.name, failures: entry.failures });
    entry.failures = 0;
    entry.isAnswered = true;
    const before = entry.addresses;
    entry.addresses = addresses;
    this.#askAgain(entry, ttlSeconds === undefined ? LONGEST_MS : ttlSeconds * 1000);
    if (before !== undefined && before.join() === addresses.join()) return;
    for (const listener of this.#listeners) listener(entry.name, addresses);
  }

  #fail(entry: Entry, error: unknown): void {
    entry.failures += 1;
    entry.isAnswered = true;
    this.#failedLookups += 1;
    if (entry.failures === 1) {
      const message = error instanceof Error ? error.message : String(error);
      const kept = entry.addresses?.length ?? 0;
      this.#options.log.warn('name does not resolve; its last addresses stay', { name: entry.name, addresses_kept: kept, detail: message });
    }
    this.#askAgain(entry, Math.min(LONGEST_RETRY_MS, SHORTEST_MS * 2 ** Math.min(entry.failures - 1, 10)));
  }

  /** A little earlier than asked for, by chance, so that names of equal time to live do not come all at once. */
  #askAgain(entry: Entry, delayMs: number): void {
    const early = (this.#options.random.bytes(1)[0] ?? 0) / 2560;
    const boundedMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, delayMs * (1 - early)));
    entry.cancelNext?.();
    entry.cancelNext = this.#options.clock.schedule(boundedMs, () => this.#enqueue(entry));
  }

  async #checkFiles(): Promise<void> {
    const before = this.#fileTexts;
    const files = this.#readFiles();
    await files;
    if (this.#isClosed) return;
    this.#files = files;
    if (this.#fileTexts !== before) for (const entry of this.#entries.values()) this.#enqueue(entry);
    const isIdle = this.#entries.size === 0;
    if (isIdle) this.#files = undefined;
    this.#cancelFileCheck = isIdle ? undefined : this.#options.clock.schedule(FILE_CHECK_MS, () => void this.#checkFiles());
  }

  async #readFiles(): Promise<NameFiles> {
    const [hosts, settings] = await Promise.all([this.#sources.readHosts(), this.#sources.readResolverSettings()]);
    this.#fileTexts = `${hosts}\0${settings}`;
    return { hosts: parseHostsFile(hosts), search: parseSearchSettings(settings) };
  }

  #wake(): void {
    for (const check of [...this.#waiters]) check();
  }
}
