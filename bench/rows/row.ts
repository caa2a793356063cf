/** How the peers are started. Rows of the same set-up share the processes. */
export interface Setup {
  readonly keys: number;
  readonly accessLog: boolean;
  readonly workers: number;
  /** Clients that a gateway may have at once; undefined leaves its own default. */
  readonly connectionLimit: number | undefined;
  /** The services of `PLUGIN_VARIANTS` are there too. */
  readonly pluginVariants: boolean;
  /** Clients speak TLS, with a certificate made for the run (ECDSA, P-256). */
  readonly tls: boolean;
}

/** What each client asks again and again. */
export interface RowRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly bodyBytes: number;
  readonly key: 'valid' | 'unknown';
  /** Sent besides. */
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's length is not the one that stands at the end of the path. */
  readonly isRecoded: boolean;
}

/** What else loads the gateway while the row is measured. */
export type Disturbance =
  | { readonly kind: 'none' }
  /** Clients of another service, whose upstream accepts and never answers. */
  | { readonly kind: 'hanging-upstream'; readonly connections: number }
  /** Clients beyond the limit of connections; they may be refused. */
  | { readonly kind: 'connection-flood'; readonly connections: number };

/**
 * How clients come: on connections that stay, or each time on a new one, whose TLS handshake is full or takes up a session; or on HTTP/2
 * connections that stay, with several requests at once.
 */
export type Arrival = 'kept' | 'full-handshake' | 'resumed-handshake' | 'http2';

/** One line of the result: a kind of request, under one kind of load, in one set-up. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly setup: Setup;
  readonly request: RowRequest;
  readonly connections: number;
  readonly disturbance: Disturbance;
  readonly arrival: Arrival;
  /** Peers that can do it; undefined: all. */
  readonly onlyPeers: readonly string[] | undefined;
}
