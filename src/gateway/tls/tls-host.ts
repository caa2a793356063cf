import { constants, hash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { ClientHello, ServerTerms } from '../../engine/index.ts';
import type { CertificatePair, TlsItem } from '../../schema/index.ts';
import type { ClientPolicy } from './client-policy.ts';
import { furtherPairs, type OwnedPairs } from './further-pairs.ts';
import { type PolicyTicketKeys, SESSION_SECONDS, type TicketKeys } from './ticket-keys.ts';

/** The settings of a host. */
export type TlsHostSettings = Extract<TlsItem, { readonly kind: 'host' }>;

/** What a host is made of. */
export interface TlsHostParts {
  /** Its object: kind and id. */
  readonly owner: string;
  readonly settings: TlsHostSettings;
  /** Of all certificates, those in objects of their own too. */
  readonly pairs: readonly CertificatePair[];
  readonly client: ClientPolicy | undefined;
  /** Why it cannot be served as it asks to be; then every handshake for it is refused. */
  readonly problem: string | undefined;
  readonly ticketKeys: TicketKeys;
  /** Hears of what of other objects of the same name cannot be used. */
  readonly onProblem: (text: string) => void;
}

/** Mozilla's intermediate list of TLS 1.2; those of TLS 1.3 are all good. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** OpenSSL's SSL_OP_NO_RENEGOTIATION, for which Node has no name in its types. */
const NO_RENEGOTIATION = 0x4000_0000;
const SESSION_CONTEXT_CHARACTERS = 32;

/**
 * A host with its certificates, policy and session tickets. What OpenSSL keeps of them is made with the first handshake that needs it:
 * most of many hosts are never asked for.
 */
export class TlsHost {
  readonly owner: string;
  readonly names: readonly string[];
  readonly client: ClientPolicy | undefined;
  readonly #parts: TlsHostParts;
  /** Other objects of the same name, which add certificates. */
  readonly #others: readonly TlsHost[];
  /** Sessions are taken up again under the same of these alone. */
  readonly #policy: string;
  #generation = -1;
  #current: SecureContext | undefined;
  /** Opens the tickets of before the last rotation. */
  #previous: { readonly context: SecureContext; readonly name: Buffer } | undefined;
  #previousName: Buffer | undefined;
  /** Why there is no context; it holds until the keys are renewed, so that no handshake looks at every certificate in vain again. */
  #failure: unknown;
  /** With those of the others; looked at once. */
  #pairs: readonly CertificatePair[] | undefined;

  constructor(parts: TlsHostParts, others: readonly TlsHost[] = []) {
    const { owner, settings, client } = parts;
    this.owner = owner;
    this.names = settings.names;
    this.client = client;
    this.#parts = parts;
    this.#others = others;
    this.#policy = hash(
      'sha256',
      JSON.stringify([owner, client?.fingerprint ?? null, settings.minVersion, others.map((other) => other.owner)]),
      'hex',
    );
  }

  /**
   * The same host for a name that other objects speak for too: what it asks of clients and its versions of TLS hold, and certificates for
   * other kinds of keys come from those of the others that offer the same versions.
   */
  beside(others: readonly TlsHost[]): TlsHost {
    return others.length === 0 ? this : new TlsHost(this.#parts, others);
  }

  /** @throws Error that says why its certificates cannot be used */
  termsFor(hello: ClientHello, protocols: readonly string[]): ServerTerms {
    return { secureContext: this.#contextFor(hello), requestsCertificate: this.client !== undefined, protocols, policy: this };
  }

  #contextFor(hello: ClientHello): SecureContext {
    const { ticketKeys } = this.#parts;
    if (this.#generation !== ticketKeys.generation) this.#forget(ticketKeys.generation);
    const previousName = this.#previousName;
    if (previousName !== undefined && hello.ticketKeyNames.some((name) => name.equals(previousName))) return this.#previousContext();
    this.#current ??= this.#makeContext(ticketKeys.current(this.#policy));
    return this.#current;
  }

  #previousContext(): SecureContext {
    const keys = this.#parts.ticketKeys.previous(this.#policy);
    if (keys === undefined) return this.#makeContext(this.#parts.ticketKeys.current(this.#policy));
    this.#previous ??= { context: this.#makeContext(keys), name: keys.name };
    return this.#previous.context;
  }

  /** The keys were renewed. */
  #forget(generation: number): void {
    this.#generation = generation;
    this.#current = undefined;
    this.#previous = undefined;
    this.#failure = undefined;
    // Where clients show certificates no session is taken up again: each connection has its certificate checked.
    this.#previousName = this.client === undefined ? this.#parts.ticketKeys.previous(this.#policy)?.name : undefined;
  }

  #makeContext(ticketKeys: PolicyTicketKeys): SecureContext {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#createContext(ticketKeys);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #createContext({ keys }: PolicyTicketKeys): SecureContext {
    const { settings, client, problem } = this.#parts;
    if (problem !== undefined) throw new Error(problem);
    this.#pairs ??= [...this.#parts.pairs, ...this.#furtherPairs()];
    const pairs = this.#pairs;
    if (pairs.length === 0) throw new Error('there is no certificate');
    // Loaded when somebody needs it: every worker would pay 6 MB for it.
    return process.getBuiltinModule('node:tls').createSecureContext({
      cert: pairs.map(({ cert }) => cert),
      key: pairs.map(({ key }) => key),
      ...(client === undefined ? {} : { ca: [...client.authorities] }),
      ciphers: CIPHERS,
      minVersion: settings.minVersion,
      maxVersion: settings.maxVersion,
      secureOptions: NO_RENEGOTIATION | (client === undefined ? 0 : constants.SSL_OP_NO_TICKET),
      sessionIdContext: this.#policy.slice(0, SESSION_CONTEXT_CHARACTERS),
      sessionTimeout: SESSION_SECONDS,
      ticketKeys: keys,
    });
  }

  #furtherPairs(): readonly CertificatePair[] {
    const { pairs, settings, client, onProblem } = this.#parts;
    const others: OwnedPairs[] = [];
    for (const other of this.#others) {
      const theirs = other.#parts.settings;
      if (other.client !== undefined && other.client.fingerprint !== client?.fingerprint)
        onProblem(`${other.owner} asks clients of the same name for other certificates: what this object asks for holds`);
      if (theirs.minVersion === settings.minVersion && theirs.maxVersion === settings.maxVersion)
        others.push({ owner: other.owner, pairs: other.#parts.pairs });
      else onProblem(`the certificate of ${other.owner} for the same name is left out: it offers other versions of TLS`);
    }
    return furtherPairs(pairs, others, onProblem);
  }
}
