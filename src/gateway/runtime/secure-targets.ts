import { isIP } from 'node:net';
import type { KeepAliveSettings, UpstreamIdentity, UpstreamTarget } from '../../engine/index.ts';
import type { TargetSource } from './runtime-upstream.ts';

/** Names that one address is asked by at once; with `pass_host: pass` they are the clients' choice. */
const MAX_NAMES = 64;
const SERVER_NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
const MAX_NAME_CHARACTERS = 253;

/** What a node is, and as whom it is spoken to. */
export interface SecureNode {
  readonly address: string;
  readonly port: number;
  readonly keepAlive: KeepAliveSettings;
  readonly identity: UpstreamIdentity;
  readonly http2: boolean;
}

/**
 * The targets of one address that is spoken to over TLS: one for each name it is asked by (APISIX: the Host that the upstream gets,
 * without its port). Connections of one name never serve another.
 */
export class SecureTargets {
  readonly #node: SecureNode;
  readonly #source: TargetSource;
  /** The one asked for longest ago first. */
  readonly #targets = new Map<string, UpstreamTarget>();

  constructor(node: SecureNode, source: TargetSource) {
    this.#node = node;
    this.#source = source;
  }

  /** `host` is a value of Host; one that is no name, nor an address, asks for nobody in particular. */
  targetFor(host: string): UpstreamTarget {
    const name = nameIn(host);
    const known = this.#targets.get(name);
    if (known !== undefined) {
      if (this.#targets.size === 1) return known;
      this.#targets.delete(name);
      this.#targets.set(name, known);
      return known;
    }
    const { address, port, keepAlive, identity, http2 } = this.#node;
    const serverName = isIP(name) === 0 && name.length <= MAX_NAME_CHARACTERS && SERVER_NAME.test(name) ? name : undefined;
    const target = this.#source.target(address, port, keepAlive, { identity, serverName, peerName: name }, http2);
    this.#targets.set(name, target);
    this.#forgetOldest();
    return target;
  }

  /** Holds none any more. */
  retire(): void {
    for (const target of this.#targets.values()) this.#source.retire(target);
    this.#targets.clear();
  }

  #forgetOldest(): void {
    if (this.#targets.size <= MAX_NAMES) return;
    for (const [name, target] of this.#targets) {
      this.#targets.delete(name);
      this.#source.retire(target);
      return;
    }
  }
}

/** Without port and brackets, in lower case, without a final dot. */
function nameIn(host: string): string {
  const bracketed = /^\[(.*)\](?::\d*)?$/.exec(host)?.[1];
  const name = (bracketed ?? host.replace(/:\d*$/, '')).toLowerCase();
  return name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name;
}
