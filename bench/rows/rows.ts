import { PLUGIN_VARIANTS, type PluginVariant, variantPrefix } from '../plugins/plugin-variants.ts';
import type { Row, RowRequest, Setup } from './row.ts';

/** The number of keys at which everything but the key rows is measured. */
const DEFAULT_KEYS = 100_000;
const CONNECTIONS = 64;
/** For the row above the limit: small enough that the load generator has descriptors for all the others. */
const CONNECTION_LIMIT = 500;
const ABOVE_LIMIT = 2_000;

/** Few: what counts is the difference to `plugins-none`. */
const PLUGIN_KEYS = 1_000;

const GET_100B: RowRequest = { method: 'GET', path: '/bench/100', bodyBytes: 0, key: 'valid', headers: {}, isRecoded: false };

const GRPC_HEADERS = { 'content-type': 'application/grpc', te: 'trailers' };

/** All rows, those of one set-up together. `keys` replaces the number of keys of all rows that are not about it. */
export function allRows(keys = DEFAULT_KEYS): readonly Row[] {
  const base: Setup = { keys, accessLog: false, workers: 1, connectionLimit: undefined, pluginVariants: false, tls: false };
  const row = (name: string, title: string, changes: Partial<Row> = {}): Row => ({
    name,
    title,
    setup: base,
    request: GET_100B,
    connections: CONNECTIONS,
    disturbance: { kind: 'none' },
    arrival: 'kept',
    onlyPeers: undefined,
    ...changes,
  });
  return [
    row('get-100b', 'GET 100 B'),
    row('get-10k', 'GET 10 KiB', { request: { ...GET_100B, path: '/bench/10240' } }),
    row('get-1m', 'GET 1 MiB', { request: { ...GET_100B, path: '/bench/1048576' } }),
    row('post-10k', 'POST 10 KiB', { request: { ...GET_100B, method: 'POST', path: '/bench/accept', bodyBytes: 10_240 } }),
    row('unauthorized', '401, unknown key', { request: { ...GET_100B, key: 'unknown' }, onlyPeers: withoutEngineFloor }),
    row('connections-16', '16 connections', { connections: 16 }),
    row('connections-256', '256 connections', { connections: 256 }),
    row('connections-2000', '2,000 connections', { connections: 2_000 }),
    row('beside-nothing', 'healthy service alone', {}),
    row('beside-hanging', 'healthy service, another one hangs', { disturbance: { kind: 'hanging-upstream', connections: 256 } }),
    row('keys-1', '1 key', { setup: { ...base, keys: 1 } }),
    row('keys-1000', '1,000 keys', { setup: { ...base, keys: 1_000 } }),
    row('keys-100000', '100,000 keys', { setup: { ...base, keys: 100_000 } }),
    row('keys-1000000', '1,000,000 keys', { setup: { ...base, keys: 1_000_000 } }),
    row('access-log', 'with access log', { setup: { ...base, accessLog: true }, onlyPeers: withAccessLog }),
    row('two-workers', 'two workers on both cores', { setup: { ...base, workers: 2 }, onlyPeers: withWorkers }),
    row('above-limit', `${ABOVE_LIMIT} connections above the limit of ${CONNECTION_LIMIT}`, {
      setup: { ...base, connectionLimit: CONNECTION_LIMIT },
      disturbance: { kind: 'connection-flood', connections: CONNECTION_LIMIT + ABOVE_LIMIT },
      onlyPeers: withConnectionLimit,
    }),
    ...tlsRows(base, row),
    ...PLUGIN_VARIANTS.map((variant) => pluginRow(variant, row)),
    row('observed', 'access log, metrics, limit-count', {
      setup: { ...base, keys: PLUGIN_KEYS, accessLog: true, pluginVariants: true },
      request: { ...GET_100B, path: `${variantPrefix('observed')}/bench/100` },
      onlyPeers: withAccessLog,
    }),
  ];
}

/** Clients that speak TLS. Few at once where each makes a handshake: the load generator makes the other half of it. */
function tlsRows(base: Setup, row: (name: string, title: string, changes: Partial<Row>) => Row): readonly Row[] {
  const setup = { ...base, keys: PLUGIN_KEYS, tls: true };
  return [
    row('tls-get-100b', 'TLS, GET 100 B on kept connections', { setup, onlyPeers: withTls }),
    row('tls-get-10k', 'TLS, GET 10 KiB on kept connections', {
      setup,
      request: { ...GET_100B, path: '/bench/10240' },
      onlyPeers: withTls,
    }),
    row('http2-get-100b', 'HTTP/2 over TLS, GET 100 B', { setup, connections: 16, arrival: 'http2', onlyPeers: withTls }),
    row('http2-grpc', 'gRPC, 100 B: HTTP/2 over TLS from clients, in clear to the upstream', {
      setup,
      connections: 16,
      arrival: 'http2',
      request: { ...GET_100B, method: 'POST', path: '/grpc/100', headers: GRPC_HEADERS },
      onlyPeers: withTls,
    }),
    row('tls-full', 'TLS, a full handshake for each GET', { setup, connections: 8, arrival: 'full-handshake', onlyPeers: withTls }),
    row('tls-resumed', 'TLS, a session taken up for each GET', { setup, connections: 8, arrival: 'resumed-handshake', onlyPeers: withTls }),
  ];
}

/** The plugins of a variant. */
function pluginRow(variant: PluginVariant, row: (name: string, title: string, changes: Partial<Row>) => Row): Row {
  return row(`plugins-${variant.name}`, `plugins: ${variant.name}`, {
    setup: { keys: PLUGIN_KEYS, accessLog: false, workers: 1, connectionLimit: undefined, pluginVariants: true, tls: false },
    request: {
      ...GET_100B,
      path: `${variantPrefix(variant.name)}/${variant.path}`,
      headers: variant.headers,
      isRecoded: variant.isRecoded,
    },
    onlyPeers: variant.nginx === undefined ? ['portcullis', 'A', 'B'] : ['nginx', 'portcullis', 'A', 'B'],
  });
}

const withoutEngineFloor = ['nginx', 'haproxy', 'undici', 'portcullis', 'A', 'B'];
const withAccessLog = ['nginx', 'portcullis', 'A', 'B'];
const withTls = ['nginx', 'portcullis', 'A', 'B'];
const withWorkers = ['nginx', 'haproxy', 'portcullis', 'A', 'B'];
/** Peers close or queue what is above; only a gateway that answers it can be compared with itself. */
const withConnectionLimit = ['haproxy', 'portcullis', 'A', 'B'];

/** Rows that can be measured with the same processes. */
export function groupBySetup(rows: readonly Row[]): readonly (readonly [Row, ...Row[]])[] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const name = JSON.stringify(row.setup);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
