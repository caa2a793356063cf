import type { ClientHello, ServerTerms, TlsChooser } from '../../engine/index.ts';
import type { ClientPolicy } from './client-policy.ts';
import type { TlsHost } from './tls-host.ts';

/** What may be spoken inside a connection, the preference first. */
const PROTOCOLS = ['h2', 'http/1.1'];
/** Characters of a host name (RFC 1035 §2.3.4), and some more. */
const MOST_NAME = 256;

/**
 * The hosts that are served with TLS: a name belongs to the one that names it exactly, or else to the longest pattern, whose `*` stands for
 * one label. Where several objects name the same, those that ask for client certificates come first, then SSL objects, then the lower id: the first decides, and the
 * others add certificates for other kinds of keys.
 */
export class TlsHosts implements TlsChooser {
  readonly #fallbackName: string | undefined;
  readonly #byOwner = new Map<string, TlsHost>();
  /** Names, and patterns as they are written. */
  readonly #byName = new Map<string, readonly TlsHost[]>();
  /** Those that share a name, as one. The list of a name is another one after each change of it. */
  readonly #combined = new WeakMap<readonly TlsHost[], TlsHost>();
  /** Patterns whose `*` stands for a part of a label, the longest first. */
  #partPatterns: string[] = [];
  /** How many ask for client certificates. */
  #strict = 0;

  /** `fallbackName`: whom clients get that name no host, or an unknown one. */
  constructor(fallbackName: string | undefined) {
    this.#fallbackName = fallbackName;
  }

  get isEmpty(): boolean {
    return this.#byOwner.size === 0;
  }

  /** One of them asks for client certificates. */
  get anyStrict(): boolean {
    return this.#strict > 0;
  }

  /** The host of an object; undefined removes it. */
  put(owner: string, host: TlsHost | undefined): void {
    const old = this.#byOwner.get(owner);
    if (old !== undefined) this.#remove(old);
    if (host === undefined) this.#byOwner.delete(owner);
    else this.#add(host);
  }

  get(owner: string): TlsHost | undefined {
    return this.#byOwner.get(owner);
  }

  /** Whom a name belongs to: in lower case, without a final dot. */
  find(name: string): TlsHost | undefined {
    return this.#sharersOf(name)?.[0];
  }

  #sharersOf(name: string): readonly TlsHost[] | undefined {
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    const pattern = dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined;
    return this.#findPart(name, pattern === undefined ? 0 : name.length - dot) ?? pattern;
  }

  /**
   * Which clients may send requests for a name; undefined where that is anybody. A name that belongs to nobody has the policy of the
   * longest pattern that it ends with, however many labels stand before: so far reach the wildcard hosts of routes.
   */
  policyFor(name: string): ClientPolicy | undefined {
    const owner = this.find(name);
    return (owner !== undefined || !this.anyStrict ? owner : this.#findAbove(name))?.client;
  }

  termsFor(hello: ClientHello): ServerTerms | undefined {
    const named = hello.serverName === undefined ? undefined : this.#sharersOf(hello.serverName);
    const sharers = named ?? (this.#fallbackName === undefined ? undefined : this.#sharersOf(this.#fallbackName));
    return sharers && this.#together(sharers)?.termsFor(hello, PROTOCOLS);
  }

  /** The first of them with the certificates of all. */
  #together(sharers: readonly TlsHost[]): TlsHost | undefined {
    const [first, ...others] = sharers;
    if (first === undefined || others.length === 0) return first;
    let host = this.#combined.get(sharers);
    if (host === undefined) {
      host = first.beside(others);
      this.#combined.set(sharers, host);
    }
    return host;
  }

  #findAbove(name: string): TlsHost | undefined {
    const part = this.#partPatterns.find((pattern) => name.endsWith(pattern.slice(1)));
    const least = part === undefined ? 0 : part.length - 1;
    // A name may be as long as a head; no pattern is longer than a name of DNS.
    for (let dot = name.indexOf('.', name.length - MOST_NAME); dot !== -1 && name.length - dot > least; dot = name.indexOf('.', dot + 1)) {
      const pattern = this.#byName.get(`*${name.slice(dot)}`);
      if (pattern !== undefined) return pattern[0];
    }
    return part === undefined ? undefined : this.#byName.get(part)?.[0];
  }

  /** By a pattern such as `*-api.example.com`, longer than `least` characters without its `*`. */
  #findPart(name: string, least: number): readonly TlsHost[] | undefined {
    for (const pattern of this.#partPatterns) {
      const end = pattern.slice(1);
      if (end.length <= least) return undefined;
      const label = name.slice(0, name.length - end.length);
      if (label !== '' && name.endsWith(end) && !label.includes('.')) return this.#byName.get(pattern);
    }
    return undefined;
  }

  #add(host: TlsHost): void {
    this.#byOwner.set(host.owner, host);
    if (host.client !== undefined) this.#strict++;
    const made = new Map<readonly TlsHost[] | undefined, readonly TlsHost[]>();
    for (const name of new Set(host.names)) {
      const before = this.#byName.get(name);
      const sharers = made.get(before) ?? [...(before ?? []), host].sort(byPreference);
      made.set(before, sharers);
      this.#byName.set(name, sharers);
      if (isPartPattern(name) && sharers.length === 1) this.#partPatterns = [...this.#partPatterns, name].sort(longestFirst);
    }
  }

  #remove(host: TlsHost): void {
    if (host.client !== undefined) this.#strict--;
    const made = new Map<readonly TlsHost[], readonly TlsHost[]>();
    for (const name of new Set(host.names)) {
      const before = this.#byName.get(name) ?? [];
      const sharers = made.get(before) ?? before.filter((sharer) => sharer !== host);
      made.set(before, sharers);
      if (sharers.length > 0) this.#byName.set(name, sharers);
      else this.#byName.delete(name);
      if (isPartPattern(name) && sharers.length === 0) this.#partPatterns = this.#partPatterns.filter((pattern) => pattern !== name);
    }
  }
}

function isPartPattern(name: string): boolean {
  return name.startsWith('*') && name[1] !== '.';
}

function longestFirst(one: string, other: string): number {
  return other.length - one.length;
}

/** `sni/…` comes after `ssl/…`, and both in the order of their ids. */
function byPreference(one: TlsHost, other: TlsHost): number {
  const strictness = Number(other.client !== undefined) - Number(one.client !== undefined);
  if (strictness !== 0) return strictness;
  const kind = Number(one.owner.startsWith('sni')) - Number(other.owner.startsWith('sni'));
  if (kind !== 0) return kind;
  return one.owner < other.owner ? -1 : 1;
}
