import { authorityPin, type InstanceAdmission, readCertificates, type SyncTls, type VerifiedInstance } from '../../distribution/index.ts';
import { ERROR_CODES } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { FreshReads } from '../../lib/fresh-reads.ts';
import type { Store } from '../../store/index.ts';
import { type Authorities, makeSyncTls, readAuthorities, trustedAuthorities, trustVersion } from './authorities.ts';
import { listInstances } from './known-instances.ts';

/** What an admission needs. */
export interface SyncAdmissionOptions {
  readonly store: Store;
  /** Of the sync server: every name by which a gateway may come. */
  readonly serverNames: readonly string[];
  readonly clock: Clock;
}

/** Which authorities are trusted and which instances revoked, as the store says; it is asked for one small value, and for more when that has changed. */
export class SyncAdmission implements InstanceAdmission {
  readonly #options: SyncAdmissionOptions;
  #version: string;
  #authorities: Authorities;
  #tls: SyncTls;
  #pins: ReadonlySet<string>;
  #revoked: ReadonlySet<string> = new Set();
  readonly #reads = new FreshReads(() => this.#refresh());

  private constructor(options: SyncAdmissionOptions, authorities: Authorities, tls: SyncTls) {
    this.#options = options;
    this.#authorities = authorities;
    this.#tls = tls;
    this.#pins = pinsOf(tls);
    this.#version = '';
  }

  /** @throws Error when no first start has been completed */
  static async open(options: SyncAdmissionOptions): Promise<SyncAdmission> {
    const authorities = await readAuthorities(options.store);
    if (authorities === undefined) throw new Error('there is no authority yet');
    const admission = new SyncAdmission(options, authorities, await makeSyncTls(authorities, options.serverNames, options.clock));
    await admission.refresh();
    return admission;
  }

  get tls(): SyncTls {
    return this.#tls;
  }

  get authorities(): Authorities {
    return this.#authorities;
  }

  /** All who ask while the store is being asked share the next question, which begins after that. */
  refresh(): Promise<void> {
    return this.#reads.read('');
  }

  reasonToRefuse({ name, authorityPin: pin }: VerifiedInstance): string | undefined {
    if (this.#revoked.has(keyOf(name.groupId, name.instanceId))) return ERROR_CODES.instance_revoked.publicMessage;
    if (!this.#pins.has(pin)) return 'the authority that certified this instance is not trusted any more';
    return undefined;
  }

  async #refresh(): Promise<void> {
    const { store, serverNames, clock } = this.#options;
    // First, so that what is read afterwards is at least as new.
    const version = await trustVersion(store);
    if (version === this.#version) return;
    const authorities = await readAuthorities(store);
    const revoked = (await listInstances(store)).filter(({ revokedAt }) => revokedAt !== null);
    if (authorities !== undefined && trustedAuthorities(authorities) !== this.#tls.ca) {
      this.#tls = await makeSyncTls(authorities, serverNames, clock);
      this.#authorities = authorities;
      this.#pins = pinsOf(this.#tls);
    }
    this.#revoked = new Set(revoked.map(({ groupId, id }) => keyOf(groupId, id)));
    this.#version = version;
  }
}

function keyOf(groupId: string, instanceId: string): string {
  return JSON.stringify([groupId, instanceId]);
}

function pinsOf(tls: SyncTls): ReadonlySet<string> {
  return new Set(readCertificates(tls.ca).map(authorityPin));
}
