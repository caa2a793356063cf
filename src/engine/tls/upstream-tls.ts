import type { SecureContext } from 'node:tls';

/** As whom the gateway shows itself to an upstream, and whom it believes. */
export interface UpstreamIdentity {
  /** The same for the same certificates and the same rules, and for nothing else: connections of different keys serve nobody but their own. */
  readonly key: string;
  readonly secureContext: SecureContext;
  /** The upstream must show a certificate that is believed, and for the name it is asked by. */
  readonly verifies: boolean;
  /** What may be spoken inside (ALPN), the preference first. */
  readonly protocols: readonly string[];
  /** Hears of each handshake that fails; `code` is Node's or OpenSSL's. */
  readonly onFailed: (failure: UpstreamTlsFailure) => void;
}

/** A handshake with an upstream that came to nothing. */
export interface UpstreamTlsFailure {
  readonly address: string;
  readonly port: number;
  readonly peerName: string;
  readonly code: string;
}

/** How connections to one upstream address are encrypted. */
export interface UpstreamTls {
  readonly identity: UpstreamIdentity;
  /** The host that is asked for (RFC 6066 §3); undefined where there is only an address. */
  readonly serverName: string | undefined;
  /** The name or address that the upstream's certificate must be for. */
  readonly peerName: string;
}
