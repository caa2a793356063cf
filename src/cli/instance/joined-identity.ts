import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  authorityPin,
  CertificateRefused,
  type ControlPlaneAddress,
  ControlPlaneRotation,
  type GrantedIdentity,
  type JoinToken,
  parseJoinToken,
  readCertificates,
  requestJoin,
  requestRenewal,
} from '../../distribution/gateway-side.ts';
import { StartError } from '../../errors/index.ts';
import { backoffDelayMs } from '../../lib/backoff.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import { type Random, randomFraction } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { RunAs } from '../../supervisor/index.ts';
import { type DatedIdentity, keepPrivately, makeKeys, parseIdentity } from './local-identity.ts';

/** What a gateway that runs alone needs to come by its certificates. */
export interface JoinedIdentityOptions {
  /** Where the identity is kept. */
  readonly file: string;
  readonly owner: RunAs | undefined;
  /** At least one. */
  readonly controlPlanes: readonly ControlPlaneAddress[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For whoever waits for the start. */
  readonly tell: (sentence: string) => void;
  /** The identity has another certificate or trusts other authorities. */
  readonly onChanged: (identity: DatedIdentity) => void;
}

const RENEW_BACKOFF = { firstDelayMs: 60_000, highestDelayMs: 3_600_000 };
/** Whether it is time to renew is looked at this often, so that a clock that was set is noticed. */
const CHECK_MS = 3_600_000;
/** After a change of authorities thousands of gateways renew. */
const SPREAD_MS = 5_000;
/** A certificate is renewed when this part of its life is over. */
const RENEWAL_POINT = 2 / 3;
const MOST_AUTHORITIES = 4;

/** The identity of a gateway that runs alone: got by a join token, renewed by itself. Its private keys are made here and never sent. */
export class JoinedIdentity {
  readonly #options: JoinedIdentityOptions;
  #identity: DatedIdentity | undefined;
  #failures = 0;
  #cancel: CancelTask = () => undefined;
  #isStopped = false;
  #isRenewing = false;
  /** The file has the identity of now. */
  #isKept = true;

  constructor(options: JoinedIdentityOptions, known?: DatedIdentity) {
    this.#options = options;
    this.#identity = known;
  }

  /**
   * Joins by a token: asks each control plane in turn, until one grants a certificate or refuses it. An identity that was put in the file by
   * hand meanwhile ends that too.
   *
   * @throws StartError when the token is none or is refused, or is of another group than `groupId`: such a membership is not kept
   */
  async join(text: string, groupId?: string): Promise<DatedIdentity> {
    const token = parseJoinToken(text);
    if (token === undefined) throw new StartError('The join token is none: it must be what the Admin API gave, pcj1.….');
    const { clock, random, file, owner, controlPlanes, log, tell } = this.#options;
    const keys = this.#joiningKeys(token);
    const rotation = new ControlPlaneRotation(controlPlanes, random);
    let told = '';
    for (;;) {
      const controlPlane = rotation.current;
      try {
        const granted = await requestJoin({ controlPlane, token, hostname: hostname(), keys, clock });
        if (this.#identity !== undefined) return this.#identity;
        const identity = identityOf(granted, keys.privateKey);
        if (groupId !== undefined && identity.groupId !== groupId) throw new StartError(groupMismatch(identity.groupId, groupId));
        keepPrivately(file, identity, owner);
        rmSync(joiningFile(file), { force: true });
        log.info('this gateway has joined', { groupId: identity.groupId, instanceId: identity.instanceId });
        this.#identity = identity;
        return identity;
      } catch (error) {
        if (error instanceof StartError) throw error;
        if (error instanceof CertificateRefused) throw new StartError(`The gateway may not join: ${error.message}.`, { cause: error });
        const sentence = `No certificate from ${controlPlane.host}:${controlPlane.port} yet: ${messageOf(error)}.`;
        log.warn('this gateway could not join yet', { ...controlPlane, cause: messageOf(error) });
        if (sentence !== told) tell(`${sentence} Trying again ...\n`);
        told = sentence;
        const delayMs = rotation.moveOn({ kind: 'unreachable', reason: messageOf(error) }, 0);
        if (delayMs > 0) await this.#pause(delayMs);
        if (this.#identity !== undefined) return this.#identity;
      }
    }
  }

  /** Begins to look after the identity that there is. */
  keepFresh(): void {
    if (!this.#isStopped) this.#schedule(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /**
   * The file has this identity: it was put there by hand, or is the former one, as long as that of now could not be written down.
   *
   * @returns that which is used from now on
   */
  takeFromFile(identity: DatedIdentity): DatedIdentity {
    const present = this.#identity;
    if (!this.#isKept && present !== undefined && isFormer(identity, present)) return present;
    this.#identity = identity;
    this.#isKept = true;
    this.keepFresh();
    return identity;
  }

  /** A control plane that was verified names the authorities to trust. A certificate that another one than the first has issued is renewed soon. */
  noteAuthorities(authority: string): void {
    const identity = this.#identity;
    if (identity === undefined || identity.authority === authority) return;
    if (!areAuthorities(authority)) {
      this.#options.log.error('the authorities that the control plane named are none');
      return;
    }
    this.#change({ ...identity, authority });
    this.#schedule(SPREAD_MS * this.#fraction());
  }

  async #renewWhenDue(): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined || this.#isRenewing || this.#isStopped) return;
    if (!this.#isKept) this.#keep(identity);
    if (!isRenewalDue(identity, this.#options.clock.nowMs())) {
      this.#schedule(CHECK_MS);
      return;
    }
    this.#isRenewing = true;
    const isRenewed = await this.#renew(identity);
    this.#isRenewing = false;
    this.#failures = isRenewed ? 0 : this.#failures + 1;
    const delayMs = isRenewed ? CHECK_MS : Math.max(RENEW_BACKOFF.firstDelayMs, backoffDelayMs(this.#failures, RENEW_BACKOFF));
    this.#schedule(delayMs * (0.75 + this.#fraction() / 2));
  }

  async #renew(identity: DatedIdentity): Promise<boolean> {
    const { clock, controlPlanes, log } = this.#options;
    for (const controlPlane of controlPlanes) {
      const keys = makeKeys();
      try {
        const granted = await requestRenewal({ controlPlane, identity, keys, clock });
        const renewed = identityOf(granted, keys.privateKey);
        if (renewed.instanceId !== identity.instanceId || renewed.groupId !== identity.groupId)
          throw new Error('another instance was certified');
        if (this.#isStopped || this.#identity?.instanceId !== identity.instanceId) return true;
        this.#change(renewed);
        log.info('the certificate of this gateway was renewed', { until: new Date(renewed.expiresAtMs).toISOString() });
        return true;
      } catch (error) {
        const ends = new Date(identity.expiresAtMs).toISOString();
        const fields = { ...controlPlane, cause: messageOf(error), ends };
        if (error instanceof CertificateRefused) {
          log.error('the control plane refuses to renew the certificate of this gateway', { ...fields, reason: error.reason });
          return false;
        }
        log.warn('the certificate of this gateway could not be renewed yet', fields);
      }
    }
    return false;
  }

  #change(identity: DatedIdentity): void {
    this.#identity = identity;
    this.#keep(identity);
    this.#options.onChanged(identity);
  }

  /** Whoever cannot write, for want of room or leave, goes on with what is in memory, and tries again with the next look. */
  #keep(identity: DatedIdentity): void {
    const { file, owner, log } = this.#options;
    try {
      keepPrivately(file, identity, owner);
      this.#isKept = true;
    } catch (error) {
      this.#isKept = false;
      log.error(
        'the identity of this gateway has changed and could not be written down: a restart would begin with the former',
        { file },
        error,
      );
    }
  }

  /** Kept until the answer is: whoever asks again with the same key gets the same instance, and the token counts once. */
  #joiningKeys(token: JoinToken): { readonly publicKey: string; readonly privateKey: string } {
    const { file, owner } = this.#options;
    const kept = readKeys(joiningFile(file));
    if (kept?.tokenId === token.id) return kept;
    const keys = makeKeys();
    keepPrivately(joiningFile(file), { tokenId: token.id, privateKey: keys.privateKey }, owner);
    return keys;
  }

  #schedule(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.schedule(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    try {
      await this.#renewWhenDue();
    } catch (error) {
      this.#isRenewing = false;
      this.#options.log.error('the certificate of this gateway could not be looked after', {}, error);
      this.#schedule(RENEW_BACKOFF.firstDelayMs);
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.schedule(delayMs, resolve));
  }

  #fraction(): number {
    return randomFraction(this.#options.random);
  }
}

/** Of the same instance, with a certificate that ends no later. */
function isFormer(identity: DatedIdentity, present: DatedIdentity): boolean {
  const isSameInstance = identity.instanceId === present.instanceId && identity.groupId === present.groupId;
  return isSameInstance && identity.expiresAtMs <= present.expiresAtMs;
}

/** Two thirds of the certificate's life are over, or another authority issues now. */
export function isRenewalDue(identity: Pick<DatedIdentity, 'certificate' | 'authority'>, nowMs: number): boolean {
  const certificate = new X509Certificate(identity.certificate);
  const [issuing] = readCertificates(identity.authority);
  if (issuing !== undefined && !certificate.verify(issuing.publicKey)) return true;
  const [startMs, endMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  return nowMs >= startMs + (endMs - startMs) * RENEWAL_POINT;
}

function groupMismatch(joined: string, served: string): string {
  return `The join token is of the gateway group "${joined}", and the snapshot key of "${served}": give the gateway a token of "${served}", or the snapshot and its key of "${joined}".`;
}

/** @throws Error when the certificate is not for this key, or nobody is to be trusted */
function identityOf(granted: GrantedIdentity, privateKey: string): DatedIdentity {
  const identity = parseIdentity({ ...granted, privateKey });
  const isForKey = new X509Certificate(identity.certificate).checkPrivateKey(createPrivateKey(privateKey));
  if (!isForKey || !areAuthorities(identity.authority)) throw new Error('the control plane has sent a certificate of no use');
  return identity;
}

function areAuthorities(pem: string): boolean {
  try {
    const certificates = readCertificates(pem);
    const pins = new Set(certificates.map(authorityPin));
    return certificates.length > 0 && pins.size <= MOST_AUTHORITIES && certificates.every(({ ca }) => ca);
  } catch {
    return false;
  }
}

function joiningFile(file: string): string {
  return `${file}.joining`;
}

function readKeys(file: string): { readonly tokenId: string; readonly publicKey: string; readonly privateKey: string } | undefined {
  try {
    const fields = new Map<string, unknown>(Object.entries(JSON.parse(readFileSync(file, 'utf8'))));
    const [tokenId, privateKey] = [fields.get('tokenId'), fields.get('privateKey')];
    if (typeof tokenId !== 'string' || typeof privateKey !== 'string') return undefined;
    const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
    return { tokenId, publicKey, privateKey };
  } catch {
    // There is none, or it is torn: another key pair does as well.
    return undefined;
  }
}
