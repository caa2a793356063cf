import type { X509Certificate } from 'node:crypto';

/** What a finished handshake has agreed on. */
export interface ClientTls {
  /** The host that the client asked for; undefined where it named none. */
  readonly serverName: string | undefined;
  /** E.g. `TLSv1.3`. */
  readonly protocol: string;
  /** OpenSSL's name of the cipher suite. */
  readonly cipher: string;
  /** What is spoken inside (ALPN); undefined where nothing was agreed on, which means HTTP/1.1. */
  readonly alpn: string | undefined;
  /** An earlier session was taken up again. */
  readonly resumed: boolean;
  /** What `TlsChooser` gave with the terms. */
  readonly policy: unknown;
  /** What the client showed; undefined where it was not asked. */
  readonly certificate: ClientCertificate | undefined;
}

/** The certificate of a client that was asked for one. */
export interface ClientCertificate {
  /** False where the client showed none. */
  readonly isShown: boolean;
  /** Why it is not believed, OpenSSL's code such as `CERT_HAS_EXPIRED`; undefined when it is. */
  readonly problem: string | undefined;
  /**
   * Its own and those that it sent beside it, in its order. Read when somebody asks for the first time, and empty when the connection has gone by then:
   * of a client that is not believed nobody need ask, and who it is costs memory.
   */
  readonly chain: readonly X509Certificate[];
}
