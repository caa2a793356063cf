import { constants, hash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { ClientHello, ServerTerms } from '../../engine/index.ts';
import type { CertificatePair, TlsItem } from '../../schema/index.ts';
import type { ClientPolicy } from './client-policy.ts';
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
  /** Sessions are taken up again under the same of these alone. */
  readonly #policy: string;
  #generation = -1;
  #current: SecureContext | undefined;
  /** Opens the tickets of before the last rotation. */
  #previous: { readonly context: SecureContext; readonly name: Buffer } | undefined;
  #previousName: Buffer | undefined;

  constructor(parts: TlsHostParts) {
    const { owner, settings, client } = parts;
    this.owner = owner;
    this.names = settings.names;
    this.client = client;
    this.#parts = parts;
    this.#policy = hash('sha256', JSON.stringify([owner, client?.fingerprint ?? null, settings.minVersion]), 'hex');
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
    // Where clients show certificates no session is taken up again: each connection has its certificate checked.
    this.#previousName = this.client === undefined ? this.#parts.ticketKeys.previous(this.#policy)?.name : undefined;
  }

  #makeContext({ keys }: PolicyTicketKeys): SecureContext {
    const { pairs, settings, client, problem } = this.#parts;
    if (problem !== undefined) throw new Error(problem);
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
}
