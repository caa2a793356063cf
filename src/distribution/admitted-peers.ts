import type { Clock } from '../lib/clock.ts';
import type { FrameConnection } from './frame-connection.ts';
import type { SyncTls } from './sync-server.ts';
import type { VerifiedInstance } from './verify-instance-certificate.ts';

/** Who says which instances may be connected. */
export interface InstanceAdmission {
  /** The server's certificate and the authorities that are trusted now. */
  readonly tls: SyncTls;
  /** Brings all that is told here up to what the store says. */
  refresh(): Promise<void>;
  /** Why an instance must not be connected, for people; undefined when it may. Its certificate holds. */
  reasonToRefuse(instance: VerifiedInstance): string | undefined;
}

type PeerConnection = Pick<FrameConnection, 'send' | 'closeAfter' | 'close'>;

/** How long a peer that is cut off has for reading why. */
const LAST_WORD_MS = 1_000;

/** The instances at the other ends of all sync connections, and whether they may stay. */
export class AdmittedPeers {
  readonly #admission: InstanceAdmission | undefined;
  readonly #clock: Pick<Clock, 'schedule'>;
  readonly #certificateClock: Pick<Clock, 'nowMs'>;
  readonly #peers = new Map<PeerConnection, VerifiedInstance>();
  #tls: SyncTls | undefined;

  constructor(
    admission: InstanceAdmission | undefined,
    { clock, certificateClock }: { readonly clock: Pick<Clock, 'schedule'>; readonly certificateClock: Pick<Clock, 'nowMs'> },
  ) {
    this.#admission = admission;
    this.#clock = clock;
    this.#certificateClock = certificateClock;
    this.#tls = admission?.tls;
  }

  /** @returns why the instance must not be connected; otherwise it belongs here from now on. Asks nobody: `refresh` comes before. */
  admit(connection: PeerConnection, instance: VerifiedInstance): string | undefined {
    const reason = this.#reasonToRefuse(instance);
    if (reason !== undefined) return reason;
    this.#peers.set(connection, instance);
    return undefined;
  }

  /** Admitted, and neither gone nor cut off since. */
  has(connection: PeerConnection): boolean {
    return this.#peers.has(connection);
  }

  leave(connection: PeerConnection): void {
    this.#peers.delete(connection);
  }

  async refresh(): Promise<void> {
    await this.#admission?.refresh();
  }

  /** The authorities that an instance is to trust, as it is told after the welcome; undefined where nobody has any to tell. */
  get authority(): string | undefined {
    return this.#admission?.tls.ca;
  }

  /**
   * Asks anew about everybody. Whoever may no longer be connected is told why and cut off; the others hear of authorities that have changed.
   *
   * @returns what the servers are to use from now on, when that has changed
   */
  async review(): Promise<SyncTls | undefined> {
    await this.refresh();
    const tls = this.#admission?.tls;
    const hasChanged = tls !== this.#tls;
    const isNewAuthority = tls?.ca !== this.#tls?.ca;
    this.#tls = tls;
    for (const [connection, instance] of [...this.#peers]) {
      const reason = this.#reasonToRefuse(instance);
      if (reason !== undefined) this.#cutOff(connection, reason);
      else if (isNewAuthority && tls !== undefined) connection.send({ kind: 'authorities', authority: tls.ca });
    }
    return hasChanged ? tls : undefined;
  }

  #cutOff(connection: PeerConnection, reason: string): void {
    this.#peers.delete(connection);
    connection.closeAfter({ kind: 'reject', reason }, reason);
    // One that does not read would stay half open.
    this.#clock.schedule(LAST_WORD_MS, () => connection.close(reason));
  }

  #reasonToRefuse(instance: VerifiedInstance): string | undefined {
    const nowMs = this.#certificateClock.nowMs();
    if (instance.expiresAtMs <= nowMs && this.#admission !== undefined) return 'the certificate of this instance has ended';
    return this.#admission?.reasonToRefuse(instance);
  }
}
