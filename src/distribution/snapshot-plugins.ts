import type { JsonObject } from '../lib/json.ts';
import { digestKey } from '../lib/key-digest.ts';
import type { ReferencedKey } from '../schema/snapshot.ts';
import type { ResourceKey } from '../store/store.ts';

/** What must be known of a plugin to tell gateways of its configurations and credentials. */
export interface SnapshotPlugin {
  readonly name: string;
  /** Configurations of plugins of type `auth` on consumers are credentials, and never leave the control plane as they are. */
  readonly type: string;
  /**
   * What gateways get of a credential beyond the digest of its unique value, from its configuration with its secrets; without it nothing.
   * `digestOf` gives the salted digest of a text in base64. Undefined for a credential that is of no use: its keys are left out.
   */
  readonly credentialData?: (configuration: JsonObject, digestOf: (text: string) => string) => JsonObject | undefined;
  /**
   * What gateways get of a credential that holds references to secrets, from its configuration with its secrets; undefined for one that
   * holds none that matter, or that is switched off.
   */
  readonly referencedKey?: (configuration: JsonObject, digestOf: (text: string) => string) => ReferencedKey | undefined;
}

/** The plugins by name, and what decides which secrets gateways need. */
export class SnapshotPlugins {
  readonly #plugins: ReadonlyMap<string, SnapshotPlugin>;
  readonly #digestOf: (text: string) => string;

  /** `keySalt` is the salt of `digestKey`. */
  constructor(plugins: readonly SnapshotPlugin[], keySalt: Uint8Array) {
    this.#plugins = new Map(plugins.map((plugin) => [plugin.name, plugin]));
    this.#digestOf = (text) => digestKey(keySalt, Buffer.from(text)).toString('base64');
  }

  isAuth(name: string): boolean {
    return this.#plugins.get(name)?.type === 'auth';
  }

  /**
   * Whether a field that is encrypted at rest is read for gateways at all. Of credentials only what `credentialData` works on: a clear
   * API key is never even decrypted. Other plugins run with their secrets, wherever they stand; secret providers, certificates and upstreams are
   * of no use without theirs. What nobody knows here stays closed.
   */
  readonly opensSecret = (key: ResourceKey, pointer: string): boolean => {
    if (OPEN_KINDS.has(key.kind) || UPSTREAM_KEY.test(pointer)) return true;
    const plugin = this.#plugins.get(PLUGIN_FIELD.exec(pointer)?.[1] ?? '');
    if (plugin === undefined) return false;
    if (plugin.type !== 'auth') return true;
    return plugin.credentialData !== undefined && (key.kind === 'consumer' || key.kind === 'credential');
  };

  /** What gateways get of a credential of this plugin in place of its key; undefined where its key is what they get. */
  referencedKey(name: string, configuration: JsonObject): ReferencedKey | undefined {
    return this.#plugins.get(name)?.referencedKey?.(configuration, this.#digestOf);
  }

  /** The field `data` of a credential's key; undefined when the key is to be left out. */
  keyData(name: string, configuration: JsonObject): { readonly data?: JsonObject } | undefined {
    const credentialData = this.#plugins.get(name)?.credentialData;
    if (credentialData === undefined) return {};
    const data = credentialData(configuration, this.#digestOf);
    return data === undefined ? undefined : { data };
  }
}

/** What is secret in these is what gateways work with. */
const OPEN_KINDS: ReadonlySet<string> = new Set(['secret_provider', 'ssl', 'certificate']);
const UPSTREAM_KEY = /^(?:\/upstream)?\/tls\/client_key$/;
const PLUGIN_FIELD = /^\/plugins\/([^/]+)\//;
