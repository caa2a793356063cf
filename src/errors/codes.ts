/** Who made the request fail. */
export type ErrorSource = 'client' | 'gateway' | 'upstream' | 'store';

/** Whether the same exchange may be tried again, and when. `idempotent-only`: only if doing it twice is as good as once (RFC 9110 §9.2.2). */
export type ErrorRetry = 'no' | 'yes' | 'idempotent-only';

/** One row of the table: what the client is told, who is to blame, whether a retry makes sense. */
export interface ErrorCode {
  /** HTTP status of the answer; 0 where no answer can be sent any more. */
  readonly status: number;
  readonly source: ErrorSource;
  readonly retry: ErrorRetry;
  /** The text for the client. Never holds a value from the request or a secret. */
  readonly publicMessage: string;
  /** Sent as Retry-After (RFC 9110 §10.2.3): the state that refused the request passes by itself. */
  readonly retryAfterSeconds?: number;
}

/**
 * Every failure Portcullis answers or logs, by the reason that stands in access logs and metrics.
 * `docs/reference/errors.md` is generated from this table, and a test keeps the two equal.
 */
export const ERROR_CODES = {
  // Requests that are not plain valid HTTP/1.1 or 1.0.
  bad_request_line: { status: 400, source: 'client', retry: 'no', publicMessage: 'malformed request line' },
  bad_header: { status: 400, source: 'client', retry: 'no', publicMessage: 'malformed header field' },
  bad_host: { status: 400, source: 'client', retry: 'no', publicMessage: 'missing, repeated or malformed Host header' },
  bad_content_length: { status: 400, source: 'client', retry: 'no', publicMessage: 'malformed or repeated Content-Length' },
  bad_transfer_encoding: { status: 400, source: 'client', retry: 'no', publicMessage: 'unsupported or ambiguous Transfer-Encoding' },
  bad_chunk: { status: 400, source: 'client', retry: 'no', publicMessage: 'malformed chunked body' },
  bad_path: { status: 400, source: 'client', retry: 'no', publicMessage: 'malformed request path' },
  ambiguous_path: { status: 400, source: 'client', retry: 'no', publicMessage: 'the request path can be read in two ways' },
  uri_too_long: { status: 414, source: 'client', retry: 'no', publicMessage: 'request target too long' },
  head_too_large: { status: 431, source: 'client', retry: 'no', publicMessage: 'request header fields too large' },
  body_too_large: { status: 413, source: 'client', retry: 'no', publicMessage: 'request body too large' },
  expectation_failed: { status: 417, source: 'client', retry: 'no', publicMessage: 'unsupported Expect header' },
  method_not_implemented: { status: 501, source: 'client', retry: 'no', publicMessage: 'method not implemented' },
  version_not_supported: { status: 505, source: 'client', retry: 'no', publicMessage: 'HTTP version not supported' },
  request_timeout: { status: 408, source: 'client', retry: 'no', publicMessage: 'the request did not arrive in time' },
  client_write_timeout: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  client_aborted: { status: 0, source: 'client', retry: 'no', publicMessage: '' },

  // TLS handshakes that come to nothing: the client gets an alert, or nothing. And what clients must show inside.
  tls_bad_hello: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  tls_unknown_name: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  tls_certificate_unusable: { status: 0, source: 'gateway', retry: 'no', publicMessage: '' },
  tls_handshake_failed: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  tls_handshake_timeout: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  tls_client_gone: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  tls_too_many_handshakes: { status: 0, source: 'gateway', retry: 'no', publicMessage: '' },
  client_certificate_missing: { status: 400, source: 'client', retry: 'no', publicMessage: 'a client certificate is required' },
  client_certificate_invalid: { status: 400, source: 'client', retry: 'no', publicMessage: 'the client certificate is not accepted' },
  misdirected_request: {
    status: 421,
    source: 'client',
    retry: 'no',
    publicMessage: 'this host needs a connection of its own',
  },

  // Decisions of the gateway.
  route_not_found: { status: 404, source: 'client', retry: 'no', publicMessage: '404 Route Not Found' },
  bad_proxy_header: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  proxy_header_timeout: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  stream_route_not_found: { status: 0, source: 'client', retry: 'no', publicMessage: '' },
  key_missing: { status: 401, source: 'client', retry: 'no', publicMessage: 'Missing API key in request' },
  key_invalid: { status: 401, source: 'client', retry: 'no', publicMessage: 'Invalid API key in request' },
  anonymous_consumer_missing: { status: 401, source: 'gateway', retry: 'no', publicMessage: 'Invalid user authorization' },
  authorization_missing: { status: 401, source: 'client', retry: 'no', publicMessage: 'Missing authorization in request' },
  authorization_invalid: { status: 401, source: 'client', retry: 'no', publicMessage: 'Invalid authorization in request' },
  user_invalid: { status: 401, source: 'client', retry: 'no', publicMessage: 'Invalid user authorization' },
  jwt_missing: { status: 401, source: 'client', retry: 'no', publicMessage: 'Missing JWT token in request' },
  jwt_malformed: { status: 401, source: 'client', retry: 'no', publicMessage: 'JWT token invalid' },
  jwt_key_missing: { status: 401, source: 'client', retry: 'no', publicMessage: 'missing user key in JWT token' },
  jwt_key_invalid: { status: 401, source: 'client', retry: 'no', publicMessage: 'Invalid user key in JWT token' },
  jwt_not_verified: { status: 401, source: 'client', retry: 'no', publicMessage: 'failed to verify jwt' },
  hmac_invalid: { status: 401, source: 'client', retry: 'no', publicMessage: "client request can't be validated" },
  authorization_failed: { status: 401, source: 'client', retry: 'no', publicMessage: 'Authorization Failed' },
  consumer_required: { status: 401, source: 'client', retry: 'no', publicMessage: 'Missing authentication.' },
  consumer_forbidden: { status: 403, source: 'client', retry: 'no', publicMessage: 'The consumer is forbidden.' },
  credential_revoked: { status: 401, source: 'client', retry: 'no', publicMessage: 'the credential was revoked' },
  credential_expired: { status: 401, source: 'client', retry: 'no', publicMessage: 'the credential has expired' },
  address_forbidden: { status: 403, source: 'client', retry: 'no', publicMessage: 'Your IP address is not allowed' },
  user_agent_forbidden: { status: 403, source: 'client', retry: 'no', publicMessage: 'Not allowed' },
  referer_forbidden: { status: 403, source: 'client', retry: 'no', publicMessage: 'Your referer host is not allowed' },
  uri_blocked: { status: 403, source: 'client', retry: 'no', publicMessage: 'access is blocked by URI' },
  csrf_invalid: { status: 401, source: 'client', retry: 'no', publicMessage: 'csrf token mismatch' },
  request_invalid: { status: 400, source: 'client', retry: 'no', publicMessage: 'the request is not valid' },
  limit_count_exceeded: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'too many requests' },
  limit_req_exceeded: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'too many requests' },
  limit_conn_exceeded: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'too many requests at once' },
  limit_failed: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'failed to limit count' },
  breaker_open: { status: 502, source: 'gateway', retry: 'no', publicMessage: 'the upstream is being spared' },
  fault_injected: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'injected' },
  unknown_upstream: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'failed to fetch upstream info' },
  rewrite_failed: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'failed to rewrite the request' },
  service_not_found: { status: 404, source: 'gateway', retry: 'no', publicMessage: '404 Route Not Found' },
  no_upstream: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'no upstream is configured' },
  no_node: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'no upstream node is available' },
  no_usable_node: { status: 502, source: 'gateway', retry: 'no', publicMessage: 'no upstream node can be used' },
  dns: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'the upstream name could not be resolved' },
  upstream_identity_unusable: {
    status: 503,
    source: 'gateway',
    retry: 'no',
    publicMessage: 'a certificate for the upstream is missing or cannot be used',
  },
  dial_denied: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'the upstream address is not allowed' },
  decision_timeout: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'internal error' },
  drain_timeout: { status: 503, source: 'gateway', retry: 'no', publicMessage: 'the gateway is shutting down' },
  tunnel_idle: { status: 0, source: 'gateway', retry: 'no', publicMessage: '' },
  /** What a plugin answered with a status of its own and no reason. */
  plugin_answer: { status: 403, source: 'gateway', retry: 'no', publicMessage: 'refused' },
  plugin_failed: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'internal error' },
  internal: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'internal error' },

  // The instance, a service or a node has as much to do as it may have.
  too_many_connections: {
    status: 503,
    source: 'gateway',
    retry: 'yes',
    publicMessage: 'too many connections',
    retryAfterSeconds: 1,
  },
  too_many_connections_of_client: {
    status: 503,
    source: 'gateway',
    retry: 'yes',
    publicMessage: 'too many connections from this address',
    retryAfterSeconds: 1,
  },
  service_overloaded: {
    status: 503,
    source: 'gateway',
    retry: 'yes',
    publicMessage: 'too many requests in flight for this service',
    retryAfterSeconds: 1,
  },
  nodes_overloaded: {
    status: 503,
    source: 'gateway',
    retry: 'yes',
    publicMessage: 'too many requests in flight on every upstream node',
    retryAfterSeconds: 1,
  },
  too_many_upstream_connections: {
    status: 503,
    source: 'gateway',
    retry: 'yes',
    publicMessage: 'too many connections to upstreams',
    retryAfterSeconds: 1,
  },
  out_of_descriptors: {
    status: 503,
    source: 'gateway',
    retry: 'yes',
    publicMessage: 'the gateway is short of descriptors',
    retryAfterSeconds: 1,
  },

  /** Older than `--max-configuration-age`, with `--when-too-old refuse`. */
  configuration_too_old: { status: 503, source: 'gateway', retry: 'yes', publicMessage: 'the configuration of the gateway is too old' },

  // Upstreams.
  connect_refused: { status: 502, source: 'upstream', retry: 'yes', publicMessage: 'the upstream refused the connection' },
  connect_failed: { status: 502, source: 'upstream', retry: 'yes', publicMessage: 'the upstream could not be reached' },
  connect_timeout: { status: 504, source: 'upstream', retry: 'yes', publicMessage: 'the upstream did not accept the connection in time' },
  upstream_tls_failed: { status: 502, source: 'upstream', retry: 'yes', publicMessage: 'the TLS handshake with the upstream failed' },
  upstream_certificate_invalid: {
    status: 502,
    source: 'upstream',
    retry: 'yes',
    publicMessage: 'the certificate of the upstream is not accepted',
  },
  upstream_closed: {
    status: 502,
    source: 'upstream',
    retry: 'idempotent-only',
    publicMessage: 'the upstream closed the connection',
  },
  // Something was there on a kept connection before the request: an answer to nobody, so what follows may be the next one's.
  upstream_uninvited: {
    status: 502,
    source: 'upstream',
    retry: 'idempotent-only',
    publicMessage: 'the upstream sent what nobody had asked for',
  },
  // Streams of HTTP/2 that upstreams end by a RST_STREAM (RFC 9113 §7).
  /** Certainly not begun (RFC 9113 §8.7). */
  upstream_refused_stream: {
    status: 503,
    source: 'upstream',
    retry: 'yes',
    publicMessage: 'the upstream did not take the request',
    retryAfterSeconds: 1,
  },
  upstream_cancelled: { status: 502, source: 'upstream', retry: 'idempotent-only', publicMessage: 'the upstream gave the request up' },
  upstream_calm: {
    status: 503,
    source: 'upstream',
    retry: 'no',
    publicMessage: 'the upstream asks for fewer requests',
    retryAfterSeconds: 1,
  },
  upstream_reset: { status: 502, source: 'upstream', retry: 'idempotent-only', publicMessage: 'the upstream broke the request off' },
  upstream_send_timeout: {
    status: 504,
    source: 'upstream',
    retry: 'idempotent-only',
    publicMessage: 'the upstream did not read the request in time',
  },
  upstream_read_timeout: {
    status: 504,
    source: 'upstream',
    retry: 'idempotent-only',
    publicMessage: 'the upstream did not answer in time',
  },
  retry_timeout: { status: 502, source: 'upstream', retry: 'no', publicMessage: 'no upstream node answered in the time for retries' },
  /** The client of gRPC itself has set it. */
  deadline_exceeded: { status: 504, source: 'upstream', retry: 'no', publicMessage: 'the deadline of the call has passed' },
  bad_upstream_response: { status: 502, source: 'upstream', retry: 'no', publicMessage: 'the upstream sent a malformed response' },
  upstream_truncated: { status: 0, source: 'upstream', retry: 'no', publicMessage: '' },

  // Gateways that ask a control plane for a certificate.
  join_malformed: { status: 400, source: 'client', retry: 'no', publicMessage: 'the request is not one for a certificate' },
  join_token_unknown: {
    status: 403,
    source: 'client',
    retry: 'no',
    publicMessage: 'this join token is not known here: make a new one',
  },
  join_token_expired: { status: 403, source: 'client', retry: 'no', publicMessage: 'this join token has expired: make a new one' },
  join_token_revoked: { status: 403, source: 'client', retry: 'no', publicMessage: 'this join token was revoked: make a new one' },
  join_token_used_up: {
    status: 403,
    source: 'client',
    retry: 'no',
    publicMessage: 'this join token has been used as often as it may be: make a new one',
  },
  instance_revoked: {
    status: 403,
    source: 'client',
    retry: 'no',
    publicMessage: 'this instance was revoked: it comes back only as a new one, with a new join token and without its identity file',
  },
  instance_certificate_refused: {
    status: 403,
    source: 'client',
    retry: 'no',
    publicMessage: 'the certificate of this instance is not accepted: join again with a new token and without the identity file',
  },
  join_too_often: { status: 429, source: 'client', retry: 'yes', publicMessage: 'too many requests for certificates: try again later' },

  // The Admin API. The text here is the fall-back; most answers say more.
  admin_bad_json: { status: 400, source: 'client', retry: 'no', publicMessage: 'invalid request body' },
  admin_invalid: { status: 400, source: 'client', retry: 'no', publicMessage: 'invalid configuration' },
  admin_unauthorized: { status: 401, source: 'client', retry: 'no', publicMessage: 'Unauthorized' },
  admin_forbidden: { status: 403, source: 'client', retry: 'no', publicMessage: 'Forbidden' },
  admin_not_found: { status: 404, source: 'client', retry: 'no', publicMessage: 'not found' },
  admin_method_not_allowed: { status: 405, source: 'client', retry: 'no', publicMessage: 'method not allowed' },
  admin_conflict: { status: 409, source: 'client', retry: 'no', publicMessage: 'this contradicts what is there' },
  admin_precondition_failed: { status: 412, source: 'client', retry: 'no', publicMessage: 'the resource has changed' },
  admin_body_too_large: { status: 413, source: 'client', retry: 'no', publicMessage: 'request body too large' },
  admin_not_json: { status: 415, source: 'client', retry: 'no', publicMessage: 'the body must be sent as application/json' },
  admin_too_many_requests: { status: 429, source: 'client', retry: 'no', publicMessage: 'too many requests: try again later' },
  admin_sign_in_too_often: { status: 429, source: 'client', retry: 'no', publicMessage: 'too many failed sign-ins: try again later' },
  identity_provider_failed: {
    status: 502,
    source: 'upstream',
    retry: 'no',
    publicMessage: 'the identity provider could not be reached, or did not answer as one',
  },
  admin_busy: {
    status: 503,
    source: 'gateway',
    retry: 'yes',
    publicMessage: 'too much is being asked at once',
    retryAfterSeconds: 1,
  },
  admin_internal: { status: 500, source: 'gateway', retry: 'no', publicMessage: 'internal error' },
  keyring_lacks_key: {
    status: 503,
    source: 'store',
    retry: 'yes',
    publicMessage: 'the keyring of this control plane lacks a key that the store is encrypted with: bring it the keyring of the others',
  },
  store_replaced: {
    status: 503,
    source: 'store',
    retry: 'yes',
    publicMessage: 'the store was replaced by another one, on which this control plane starts anew',
  },
  store_unavailable: { status: 503, source: 'store', retry: 'yes', publicMessage: 'the store is not available' },
} as const satisfies Record<string, ErrorCode>;

/** The name of a row of the table. */
export type ErrorReason = keyof typeof ERROR_CODES;

/** The status of a reason that came through a text, as a log entry's; undefined for what is none. */
export function statusOfReason(reason: string): number | undefined {
  const codes: Readonly<Record<string, ErrorCode>> = ERROR_CODES;
  return Object.hasOwn(codes, reason) ? codes[reason]?.status : undefined;
}

/** After how many seconds a client that was refused for this reason may come again; undefined where waiting is no help. */
export function retryAfterSeconds(reason: ErrorReason): number | undefined {
  const code: ErrorCode = ERROR_CODES[reason];
  return code.retryAfterSeconds;
}
