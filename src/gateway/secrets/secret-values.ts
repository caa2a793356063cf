import { isDeepStrictEqual } from 'node:util';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/logger.ts';
import { parseSecretReference } from '../../schema/index.ts';
import type { EnvironmentValues } from './environment-values.ts';
import type { SecretContent } from './secret-content.ts';
import { SecretError } from './secret-error.ts';
import type { FetchSecret } from './secret-fetcher.ts';

/** Provider id (e.g. `vault/1`) → its configuration, with its secrets. */
export type SecretProviders = ReadonlyMap<string, JsonObject>;

export interface SecretValuesOptions {
  readonly environment: EnvironmentValues;
  readonly fetch: FetchSecret;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Told which retained references stand for something else than before. */
export type SecretChangeListener = (references: readonly string[]) => void;

/** One secret of one provider, for all references to its fields. */
interface Entry {
  readonly provider: string;
  readonly name: string;
  /** Reference → field. */
  readonly references: Map<string, string>;
  /** The last good one. */
  content: SecretContent | undefined;
  /** `content` came from a provider that is configured otherwise now: it holds only until there is an answer. */
  isOutdated: boolean;
  /** An answer has come since it was first asked for, or since the provider changed. */
  isAnswered: boolean;
  /** What was logged last, so that a failure that lasts is one line. */
  problem: string | undefined;
  isQueued: boolean;
  /** Counts reads begun: only the answer of the latest counts. */
  reads: number;
  cancelNext: CancelTask | undefined;
}

/** The times of APISIX's cache of secrets. */
const FRESH_MS = 300_000;
const RETRY_MS = 60_000;
const MOST_READS_AT_ONCE = 8;

/**
 * What secret references stand for. Secrets of providers are kept as long as a reference to them is retained, and read again in the
 * background: five minutes after a good answer, one minute after a failure. What was good once stays while it is read anew, and while
 * the manager cannot be asked; it goes when the manager says that the secret is gone, or when the provider is.
 */
export class SecretValues {
  readonly #options: SecretValuesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<SecretChangeListener>();
  readonly #waiters = new Set<() => void>();
  readonly #queue: Entry[] = [];
  #providers: SecretProviders = new Map();
  #reads = 0;
  #isClosed = false;

  constructor(options: SecretValuesOptions) {
    this.#options = options;
  }

  get providers(): SecretProviders {
    return this.#providers;
  }

  /** Replaces all providers. Secrets of those that changed are read anew. */
  useProviders(providers: SecretProviders): void {
    const before = this.#providers;
    this.#providers = providers;
    for (const entry of this.#entries.values()) {
      const provider = providers.get(entry.provider);
      if (isDeepStrictEqual(before.get(entry.provider), provider)) continue;
      entry.isOutdated = true;
      entry.isAnswered = false;
      this.#enqueue(entry);
    }
  }

  /** Keeps what these references stand for known until they are released. */
  retain(references: Iterable<string>): void {
    for (const text of references) {
      const parsed = parseSecretReference(text);
      if (!parsed.ok || parsed.reference.kind !== 'secret') continue;
      const { provider, name, key } = parsed.reference;
      const id = entryId(provider, name);
      let entry = this.#entries.get(id);
      if (entry === undefined) {
        entry = newEntry(provider, name);
        this.#entries.set(id, entry);
        this.#enqueue(entry);
      }
      entry.references.set(text, key);
    }
  }

  release(references: Iterable<string>): void {
    for (const text of references) {
      const entry = this.#entryOf(text);
      if (entry === undefined || !entry.references.delete(text) || entry.references.size > 0) continue;
      this.#entries.delete(entryId(entry.provider, entry.name));
      entry.cancelNext?.();
      this.#wake();
    }
  }

  /** What a reference stands for, as far as it is known. Only those that are retained are ever known, but for variables. */
  readonly valueOf = (reference: string): string | undefined => {
    const parsed = parseSecretReference(reference);
    if (!parsed.ok) return undefined;
    const { reference: place } = parsed;
    if (place.kind === 'environment') return this.#options.environment.valueOf(place.name, place.key);
    return this.#entries.get(entryId(place.provider, place.name))?.content?.get(place.key);
  };

  /** Calls the listener whenever retained references stand for something else than before. Gives back how to stop. */
  onChange(listener: SecretChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when there is an answer for each of these references, good or bad, at the latest after `timeoutMs`. Never rejects. */
  resolved(references: Iterable<string>, timeoutMs: number): Promise<void> {
    const texts = [...references];
    const isDone = (): boolean => texts.every((text) => this.#entryOf(text)?.isAnswered !== false);
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.#waiters.delete(check);
        resolve();
      };
      const check = (): void => {
        if (isDone()) finish();
      };
      const cancel = this.#options.clock.schedule(timeoutMs, finish);
      this.#waiters.add(check);
    });
  }

  /** Ends all pending work. */
  close(): void {
    this.#isClosed = true;
    for (const entry of this.#entries.values()) entry.cancelNext?.();
    this.#entries.clear();
    this.#queue.length = 0;
    this.#wake();
  }

  #entryOf(reference: string): Entry | undefined {
    const parsed = parseSecretReference(reference);
    if (!parsed.ok || parsed.reference.kind !== 'secret') return undefined;
    return this.#entries.get(entryId(parsed.reference.provider, parsed.reference.name));
  }

  #enqueue(entry: Entry): void {
    if (this.#isClosed) return;
    entry.cancelNext?.();
    entry.cancelNext = undefined;
    // An answer that is on its way belongs to what was before.
    entry.reads += 1;
    if (entry.isQueued) return;
    entry.isQueued = true;
    this.#queue.push(entry);
    this.#startReads();
  }

  #startReads(): void {
    while (this.#reads < MOST_READS_AT_ONCE) {
      const entry = this.#queue.shift();
      if (entry === undefined) return;
      entry.isQueued = false;
      if (!this.#isHeld(entry)) continue;
      this.#reads += 1;
      void this.#read(entry, entry.reads);
    }
  }

  async #read(entry: Entry, read: number): Promise<void> {
    try {
      const configuration = this.#providers.get(entry.provider);
      if (configuration === undefined) throw new SecretError('gone', 'there is no such secret provider');
      const content = await this.#options.fetch(entry.provider, configuration, entry.name);
      if (this.#isCurrent(entry, read)) this.#succeed(entry, content);
    } catch (error) {
      if (this.#isCurrent(entry, read)) this.#fail(entry, error);
    } finally {
      this.#reads -= 1;
      this.#wake();
      this.#startReads();
    }
  }

  #isHeld(entry: Entry): boolean {
    return !this.#isClosed && this.#entries.get(entryId(entry.provider, entry.name)) === entry;
  }

  /** What was released, or asked for anew since, is of no interest. */
  #isCurrent(entry: Entry, read: number): boolean {
    return this.#isHeld(entry) && entry.reads === read;
  }

  #succeed(entry: Entry, content: SecretContent): void {
    const { log } = this.#options;
    if (entry.problem !== undefined) log.info('a secret can be read again', { provider: entry.provider, secret: entry.name });
    entry.problem = undefined;
    this.#settle(entry, content, FRESH_MS);
  }

  #fail(entry: Entry, error: unknown): void {
    // Of other errors it is not known what they quote.
    const cause = error instanceof SecretError ? error.message : 'it could not be read';
    const isGone = error instanceof SecretError && error.outcome === 'gone';
    const kept = isGone || entry.isOutdated ? undefined : entry.content;
    if (entry.problem !== cause) {
      const fields = { provider: entry.provider, secret: entry.name, cause };
      const { log } = this.#options;
      if (kept === undefined) log.error('a secret cannot be read', fields);
      else log.warn('a secret cannot be read; what it was before stays in use', fields);
    }
    entry.problem = cause;
    this.#settle(entry, kept, RETRY_MS);
  }

  #settle(entry: Entry, content: SecretContent | undefined, delayMs: number): void {
    const before = entry.content;
    entry.content = content;
    entry.isOutdated = false;
    entry.isAnswered = true;
    this.#readAgain(entry, delayMs);
    const changed = [...entry.references].filter(([, key]) => before?.get(key) !== content?.get(key)).map(([text]) => text);
    if (changed.length > 0) for (const listener of this.#listeners) listener(changed);
  }

  /** A little earlier than asked for, by chance, so that secrets that were read together are not read together for ever. */
  #readAgain(entry: Entry, delayMs: number): void {
    const early = (this.#options.random.bytes(1)[0] ?? 0) / 2560;
    entry.cancelNext?.();
    entry.cancelNext = this.#options.clock.schedule(delayMs * (1 - early), () => this.#enqueue(entry));
  }

  #wake(): void {
    for (const check of [...this.#waiters]) check();
  }
}

function entryId(provider: string, name: string): string {
  return `${provider} ${name}`;
}

function newEntry(provider: string, name: string): Entry {
  const references = new Map<string, string>();
  const state = { content: undefined, problem: undefined, cancelNext: undefined, reads: 0 };
  return { provider, name, references, ...state, isOutdated: false, isAnswered: false, isQueued: false };
}
