import { createHash } from 'node:crypto';
import {
  type Enrollment,
  type GrantedIdentity,
  isPossessionProven,
  issueInstanceCertificate,
  type JoinRequest,
  joinStatement,
  keyDigest,
  type RenewRequest,
  renewStatement,
  type VerifiedInstance,
} from '../../distribution/index.ts';
import { PortcullisError } from '../../errors/index.ts';
import { addressGroup } from '../../lib/address-group.ts';
import type { Clock } from '../../lib/clock.ts';
import { RateLimit } from '../../lib/rate-limit.ts';
import type { Logger } from '../../observability/index.ts';
import type { Author, Store, StoreTransaction } from '../../store/index.ts';
import { type Authorities, issuingPin, trustedAuthorities } from './authorities.ts';
import { findJoinToken, putJoinToken, requireJoinToken } from './join-tokens.ts';
import { findInstance, noteIssued } from './known-instances.ts';

/** What a desk needs. */
export interface CertificateDeskOptions {
  readonly store: Store;
  /** Those of now. */
  readonly authorities: () => Authorities;
  readonly clock: Clock;
  /** By which tokens expire. */
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly log: Logger;
}

const MAX_HOSTNAME = 253;
const MAX_PUBLIC_KEY = 1_024;
const MAX_PROOF = 256;

/** Grants certificates to gateways: a first one for a join token, the next one for the present one. */
export class CertificateDesk implements Enrollment {
  readonly #options: CertificateDeskOptions;
  /** A signature is paid for by everybody who asks, so not everybody may ask as often as he likes. */
  readonly #joinsOfAddress = new RateLimit(1, 30);
  /**
   * Over all addresses together, of whoever asks: each costs a look into the store. So wide that many addresses, and the time of this process for as many
   * handshakes, go into taking it from gateways that mean well.
   */
  readonly #joins = new RateLimit(200, 10);
  /** Who knows no token takes nothing from those who do, and who has one nothing from those with another. */
  readonly #joinsOfToken = new RateLimit(20, 10);
  readonly #renewalsOfInstance = new RateLimit(1 / 60, 600);

  constructor(options: CertificateDeskOptions) {
    this.#options = options;
  }

  /**
   * A token counts an instance once: whoever lost the answer may ask again with the same key, and is the same instance.
   *
   * @throws PortcullisError
   */
  async join(request: JoinRequest, address: string): Promise<GrantedIdentity> {
    this.#limit(this.#joinsOfAddress, addressGroup(address));
    this.#limit(this.#joins, '');
    const { tokenId, secret, publicKey, proof } = request;
    const { store } = this.#options;
    const shown = requireJoinToken(await findJoinToken(store, tokenId), secret, this.#nowSeconds());
    this.#limit(this.#joinsOfToken, shown.id);
    requireProof({ publicKey, proof, statement: (key) => joinStatement(tokenId, key) });
    const instanceId = instanceIdOf(tokenId, publicKey);
    const { groupId } = shown;
    const issued = await this.#issue({ groupId, instanceId, publicKey });
    const author: Author = { id: `join-token/${shown.id}`, name: shown.name };
    await store.transaction(author, async (transaction) => {
      // The token may have changed since, and only now nobody else can use it.
      const token = requireJoinToken(await findJoinToken(transaction, tokenId), secret, this.#nowSeconds());
      await requireGroup(transaction, groupId);
      if ((await findInstance(transaction, groupId, instanceId)) === undefined) {
        if (token.uses >= token.maxUses) throw new PortcullisError('join_token_used_up');
        await putJoinToken(transaction, { ...token, uses: token.uses + 1, lastUsedAt: this.#nowSeconds() });
      }
      const joined = { ...issued.note, hostname: hostnameOf(request.hostname), tokenId };
      await noteIssued(transaction, { ...joined, nowSeconds: this.#wallSeconds() });
      await this.#audit(transaction, { author, action: 'instance.join', groupId, instanceId, address, detail: { token: tokenId } });
    });
    this.#options.log.info('a gateway instance has joined', { groupId, instanceId, address, token: tokenId });
    return issued.granted;
  }

  /** @throws PortcullisError */
  async renew(request: RenewRequest, { name }: VerifiedInstance, address: string): Promise<GrantedIdentity> {
    const { groupId, instanceId } = name;
    this.#limit(this.#renewalsOfInstance, JSON.stringify([groupId, instanceId]));
    const { publicKey, proof } = request;
    requireProof({ publicKey, proof, statement: (key) => renewStatement(instanceId, key) });
    const issued = await this.#issue({ groupId, instanceId, publicKey });
    const author: Author = { id: `instance/${instanceId}`, name: instanceId };
    await this.#options.store.transaction(author, async (transaction) => {
      await requireGroup(transaction, groupId);
      await noteIssued(transaction, { ...issued.note, nowSeconds: this.#wallSeconds() });
      await this.#audit(transaction, { author, action: 'instance.renew', groupId, instanceId, address, detail: {} });
    });
    this.#options.log.info('the certificate of a gateway instance was renewed', { ...name, address });
    return issued.granted;
  }

  async #issue(of: { readonly groupId: string; readonly instanceId: string; readonly publicKey: string }) {
    const authorities = this.#options.authorities();
    const issued = await issueInstanceCertificate(authorities.issuing, of, this.#options.clock);
    const { groupId, instanceId } = of;
    const granted: GrantedIdentity = { groupId, instanceId, ...issued, authority: trustedAuthorities(authorities) };
    const authority = issuingPin(authorities);
    return { granted, note: { id: instanceId, groupId, issued, authority } };
  }

  #limit(limit: RateLimit, key: string): void {
    const waitMs = limit.take(key, this.#options.clock.monotonicMs());
    if (waitMs > 0) throw new PortcullisError('join_too_often', { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
  }

  async #audit(
    transaction: StoreTransaction,
    entry: {
      readonly author: Author;
      readonly action: string;
      readonly groupId: string;
      readonly instanceId: string;
      readonly address: string;
      readonly detail: Readonly<Record<string, string>>;
    },
  ): Promise<void> {
    const { author, action, groupId, instanceId, address, detail } = entry;
    await transaction.appendAudit({ at: this.#wallSeconds(), author, action, groupId, resource: instanceId, address, detail });
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.expiryClock.nowMs() / 1000);
  }

  #wallSeconds(): number {
    return Math.floor(this.#options.clock.nowMs() / 1000);
  }
}

/** @throws PortcullisError unless the private key of a key that can be certified has signed the statement */
function requireProof(of: { readonly publicKey: string; readonly proof: string; readonly statement: (publicKey: string) => string }): void {
  const { publicKey, proof, statement } = of;
  let isProven = false;
  if (publicKey.length <= MAX_PUBLIC_KEY && proof.length <= MAX_PROOF) {
    try {
      isProven = isPossessionProven(publicKey, statement(publicKey), proof);
    } catch {
      isProven = false;
    }
  }
  if (isProven) return;
  throw new PortcullisError('join_malformed', { publicMessage: 'the private key of the public key has not signed the request' });
}

/** The group may have been deleted since the token or the certificate was made. */
async function requireGroup(transaction: StoreTransaction, groupId: string): Promise<void> {
  if ((await transaction.getGroup(groupId)) !== undefined) return;
  throw new PortcullisError('join_token_unknown', { publicMessage: 'the gateway group does not exist any more' });
}

/** One key joins by one token as one instance, however often it asks, and nobody can choose to be another one. In the form of a UUID (version 8, RFC 9562). */
function instanceIdOf(tokenId: string, publicKey: string): string {
  const bytes = createHash('sha256')
    .update(`portcullis instance 1\n${tokenId}\n${keyDigest(publicKey)}\n`)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function hostnameOf(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, MAX_HOSTNAME);
}
