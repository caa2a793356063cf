/**
 * The variables that expressions, templates and `key` fields know by a fixed name, without `$` (docs/reference/expressions.md). They are
 * listed for whoever writes configurations; the gateway reads their values.
 */
export const VARIABLE_NAMES: readonly string[] = [
  ...['request_method', 'method', 'uri', 'request_uri', 'real_request_uri', 'args', 'query_string', 'is_args', 'host', 'scheme', 'https'],
  ...['server_protocol', 'request', 'request_line', 'remote_addr', 'remote_port', 'realip_remote_addr', 'remote_user', 'server_port'],
  ...['server_addr', 'server_name', 'hostname'],
  ...['request_id', 'apisix_request_id', 'content_type', 'content_length', 'request_length', 'request_time', 'msec'],
  ...['time_iso8601', 'time_local', 'pid', 'connection_requests', 'consumer_name', 'credential_id', 'route_id', 'route_name'],
  ...['service_id', 'service_name', 'upstream_uri', 'upstream_host', 'upstream_scheme', 'upstream_addr', 'balancer_ip', 'balancer_port'],
  ...['upstream_status', 'upstream_response_time', 'upstream_connect_time', 'upstream_header_time', 'status', 'bytes_sent'],
  ...['body_bytes_sent', 'request_type', 'ssl_protocol', 'ssl_cipher', 'ssl_server_name', 'ssl_alpn_protocol', 'ssl_session_reused'],
  ...['ssl_client_verify', 'ssl_client_s_dn', 'ssl_client_i_dn', 'ssl_client_serial', 'ssl_client_fingerprint'],
  ...['ssl_client_v_start', 'ssl_client_v_end', 'ssl_client_v_remain', 'ssl_client_escaped_cert'],
];

/** Beginnings of further names; what follows names an argument, a header or a cookie. */
export const VARIABLE_PREFIXES: readonly string[] = [
  'arg_',
  'post_arg_',
  'post_arg.',
  'graphql_',
  'http_',
  'cookie_',
  'uri_param_',
  'sent_http_',
  'upstream_http_',
];
