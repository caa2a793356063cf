import { hash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { UpstreamIdentity, UpstreamTlsFailure } from '../../engine/index.ts';
import type { CertificatePair, UpstreamTlsSettings } from '../../schema/index.ts';
import { type TlsItems, tlsItemKey } from './tls-items.ts';

/** What OpenSSL keeps of this many identities is kept; another is made anew when an upstream needs it again. */
const KEPT_CONTEXTS = 256;
/** What may be spoken to upstreams of HTTP. */
const HTTP_PROTOCOLS = ['http/1.1'];

/** What upstreams are spoken to with. */
export interface UpstreamIdentitiesOptions {
  /** `watch` and `unwatch` are asked for by those of `UpstreamIdentities` alone. */
  readonly items: Pick<TlsItems, 'get' | 'watch' | 'unwatch'>;
  /** Whether upstreams that say nothing about it are verified. */
  readonly verifiesByDefault: boolean;
  readonly onFailed: (failure: UpstreamTlsFailure) => void;
  /** Hears why an upstream cannot be spoken to as it asks for. */
  readonly onProblem: (owner: string, problem: string) => void;
}

/** As whom this worker shows itself to upstreams, by their settings and the certificates in force. */
export class UpstreamIdentities {
  readonly #options: UpstreamIdentitiesOptions;
  /** By key, the oldest first. */
  readonly #contexts = new Map<string, SecureContext>();

  constructor(options: UpstreamIdentitiesOptions) {
    this.#options = options;
  }

  /** From now on `watcher` hears when what `identityOf` gives may have changed. */
  watch(settings: UpstreamTlsSettings, watcher: () => void): void {
    for (const key of itemsOf(settings)) this.#options.items.watch(key, watcher);
  }

  unwatch(settings: UpstreamTlsSettings, watcher: () => void): void {
    for (const key of itemsOf(settings)) this.#options.items.unwatch(key, watcher);
  }

  /** Undefined where a certificate is missing or cannot be used: such an upstream is not spoken to at all. `owner` names it. */
  identityOf(owner: string, settings: UpstreamTlsSettings): UpstreamIdentity | undefined {
    const { items, verifiesByDefault, onFailed, onProblem } = this.#options;
    const verifies = settings.verifies ?? verifiesByDefault;
    const item = settings.pairOf === undefined ? undefined : items.get(tlsItemKey(settings.pairOf.kind, settings.pairOf.id));
    const pair = item?.kind === 'pair' ? item.pair : settings.pair;
    const authorities = settings.authorityIds.flatMap((id) => {
      const authority = items.get(tlsItemKey('ca_certificate', id));
      return authority?.kind === 'authority' ? [authority.cert] : [];
    });
    if ((settings.pairOf !== undefined && item?.kind !== 'pair') || authorities.length < settings.authorityIds.length) {
      onProblem(owner, 'a certificate that it names is missing');
      return undefined;
    }
    const key = hash('sha256', JSON.stringify([settings.isHttp, verifies, pair ?? null, verifies ? authorities : null]), 'hex');
    const protocols = settings.isHttp ? HTTP_PROTOCOLS : [];
    try {
      return { key, secureContext: this.#contextOf(key, pair, verifies, authorities), verifies, protocols, onFailed };
    } catch (error) {
      onProblem(owner, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #contextOf(key: string, pair: CertificatePair | undefined, verifies: boolean, authorities: readonly string[]): SecureContext {
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    // Loaded when somebody needs it: every worker would pay 6 MB for it.
    const context = process.getBuiltinModule('node:tls').createSecureContext({
      ...pair,
      // Without any named the usual ones are believed, which need not be read where nobody is checked.
      ...(verifies && authorities.length === 0 ? {} : { ca: verifies ? [...authorities] : [] }),
      minVersion: 'TLSv1.2',
    });
    this.#contexts.set(key, context);
    const [oldest] = this.#contexts.keys();
    if (oldest !== undefined && this.#contexts.size > KEPT_CONTEXTS) this.#contexts.delete(oldest);
    return context;
  }
}

function itemsOf({ pairOf, authorityIds }: UpstreamTlsSettings): readonly string[] {
  const own = pairOf === undefined ? [] : [tlsItemKey(pairOf.kind, pairOf.id)];
  return [...own, ...authorityIds.map((id) => tlsItemKey('ca_certificate', id))];
}
