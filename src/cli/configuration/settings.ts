import { LIMIT_SETTINGS, TIMEOUT_SETTINGS } from './request-settings.ts';
import type { Setting, Verb } from './setting.ts';

const ALL: readonly Verb[] = ['start', 'control-plane', 'gateway', 'demo-upstream'];
const SERVERS: readonly Verb[] = ['start', 'control-plane', 'gateway'];
const CONTROL_PLANE: readonly Verb[] = ['start', 'control-plane'];
const GATEWAY: readonly Verb[] = ['start', 'gateway'];
const DEMO: readonly Verb[] = ['start', 'demo-upstream'];

/** The settings that the README's table shows. */
export const MAIN_SETTINGS = [
  { name: 'data-dir', type: 'path', defaultText: './data', meaning: 'Folder for everything that is kept (mode 0700)', verbs: SERVERS },
  { name: 'admin-port', type: 'port', defaultText: '7443', meaning: 'Admin API (HTTPS)', verbs: CONTROL_PLANE },
  { name: 'http-port', type: 'port', defaultText: '9080', meaning: 'Gateway, HTTP', verbs: GATEWAY },
  {
    name: 'https-port',
    type: 'port',
    defaultText: '9443',
    meaning: 'Gateway, HTTPS (held, but not opened before there is a certificate)',
    verbs: GATEWAY,
  },
  { name: 'sync-port', type: 'port', defaultText: '7943', meaning: 'Control plane to gateways (mutual TLS)', verbs: CONTROL_PLANE },
  { name: 'status-port', type: 'port', defaultText: '7085', meaning: '`/status` and `/status/ready` of the gateway', verbs: GATEWAY },
  { name: 'metrics-port', type: 'port', defaultText: '9091', meaning: '`/apisix/prometheus/metrics` of the gateway', verbs: GATEWAY },
  { name: 'demo-port', type: 'port', defaultText: '8081', meaning: 'Demo upstream', verbs: DEMO },
  { name: 'no-demo', type: 'flag', defaultText: 'false', meaning: 'Do not run the demo upstream', verbs: ['start'] },
  { name: 'workers', type: 'count', defaultText: 'one per core', meaning: 'Worker threads of the gateway', verbs: GATEWAY },
  { name: 'http-listen', type: 'hosts', defaultText: 'all addresses', meaning: 'Addresses for the HTTP port', verbs: GATEWAY },
  { name: 'https-listen', type: 'hosts', defaultText: 'all addresses', meaning: 'Addresses for the HTTPS port', verbs: GATEWAY },
  { name: 'admin-listen', type: 'hosts', defaultText: '127.0.0.1,::1', meaning: 'Addresses for the Admin API', verbs: CONTROL_PLANE },
  {
    name: 'sync-listen',
    type: 'hosts',
    defaultText: '127.0.0.1,::1',
    meaning: 'Addresses for gateways to connect to',
    verbs: CONTROL_PLANE,
  },
  { name: 'status-listen', type: 'hosts', defaultText: '127.0.0.1,::1', meaning: 'Addresses for the status port', verbs: GATEWAY },
  { name: 'metrics-listen', type: 'hosts', defaultText: '127.0.0.1,::1', meaning: 'Addresses for the metrics port', verbs: GATEWAY },
  { name: 'demo-listen', type: 'hosts', defaultText: '127.0.0.1,::1', meaning: 'Addresses for the demo upstream', verbs: DEMO },
  {
    name: 'control-plane',
    type: 'address',
    defaultText: '127.0.0.1:7943',
    meaning: 'Where a gateway that runs alone finds its control plane',
    verbs: ['gateway'],
  },
  {
    name: 'identity-file',
    type: 'path',
    defaultText: undefined,
    meaning: 'Certificate and key of a gateway that runs alone, made by `portcullis instance create`',
    verbs: ['gateway'],
  },
  {
    name: 'user',
    type: 'text',
    defaultText: undefined,
    meaning: 'As root: the user (or `user:group`) that everything but the start runs as',
    verbs: SERVERS,
  },
  { name: 'allow-root', type: 'flag', defaultText: 'false', meaning: 'As root: run everything as root', verbs: SERVERS },
  {
    name: 'drain-delay',
    type: 'seconds',
    defaultText: '0',
    meaning: 'After a stop: how long connections are still accepted',
    verbs: SERVERS,
  },
  {
    name: 'drain-timeout',
    type: 'seconds',
    defaultText: '30',
    meaning: 'After a stop: how long running requests may take',
    verbs: SERVERS,
  },
  {
    name: 'plugin-timeout',
    type: 'seconds',
    defaultText: '10',
    least: 0.1,
    most: 55,
    meaning: 'A plugin that has not decided about a request after this time has failed',
    verbs: GATEWAY,
  },
  {
    name: 'keyring-file',
    type: 'path',
    defaultText: '<data-dir>/keyring.json',
    meaning: 'Keys that encrypt secrets in the store',
    verbs: CONTROL_PLANE,
  },
  {
    name: 'admin-tls-cert',
    type: 'path',
    defaultText: undefined,
    meaning: 'PEM certificate in place of the self-signed one',
    verbs: CONTROL_PLANE,
  },
  { name: 'admin-tls-key', type: 'path', defaultText: undefined, meaning: 'Its PEM private key', verbs: CONTROL_PLANE },
  {
    name: 'access-log',
    type: 'path',
    defaultText: '<data-dir>/logs/access.log',
    meaning: 'File for one JSON line a request; `off` for none',
    verbs: GATEWAY,
  },
  {
    name: 'trusted-addresses',
    type: 'networks',
    defaultText: undefined,
    meaning: 'Proxies in front (addresses, networks) whose X-Forwarded-Proto, -Host, -Port and Forwarded are believed',
    verbs: GATEWAY,
  },
  {
    name: 'dial-allow',
    type: 'networks',
    defaultText: undefined,
    meaning: 'Addresses and networks that may be connected to although they are link-local or hand out cloud metadata',
    verbs: GATEWAY,
  },
  {
    name: 'dial-deny',
    type: 'networks',
    defaultText: undefined,
    meaning: 'Addresses and networks that no upstream, plugin or secret provider may be connected to; wins over `dial-allow`',
    verbs: GATEWAY,
  },
  {
    name: 'env-references',
    type: 'names',
    defaultText: undefined,
    meaning:
      'Environment variables that `$env://` may name although they are withheld (PORTCULLIS_*, DATABASE_URL, REDIS_URL, PG*, NODE_*, AWS_*)',
    verbs: GATEWAY,
  },
  {
    name: 'documented-sockets',
    type: 'flag',
    defaultText: 'false',
    meaning: "Use documented interfaces of Node's sockets only, which is slower",
    verbs: GATEWAY,
  },
  {
    name: 'log-file',
    type: 'path',
    defaultText: '<data-dir>/logs/portcullis.log',
    meaning: 'File for events; `-` for standard error',
    verbs: SERVERS,
  },
  { name: 'log-level', type: 'level', defaultText: 'info', meaning: '`debug`, `info`, `warn` or `error`', verbs: ALL },
  {
    name: 'max-connections',
    type: 'number',
    defaultText: '45 % of the descriptors',
    least: 1,
    most: 1_000_000,
    meaning: 'Connections of clients at once',
    verbs: GATEWAY,
  },
  {
    name: 'max-upstream-connections',
    type: 'number',
    defaultText: '45 % of the descriptors',
    least: 1,
    most: 1_000_000,
    meaning: 'Connections to upstreams at once',
    verbs: GATEWAY,
  },
  {
    name: 'max-connections-per-client',
    type: 'number',
    defaultText: '0',
    least: 0,
    most: 1_000_000,
    meaning: 'Connections of one client address (IPv6: of its /64) at once; 0 for no such limit',
    verbs: GATEWAY,
  },
  {
    name: 'max-requests-per-service',
    type: 'number',
    defaultText: 'half of max-upstream-connections',
    least: 1,
    most: 1_000_000,
    meaning: 'Requests of one service in flight, at most half of `max-upstream-connections`',
    verbs: GATEWAY,
  },
  {
    name: 'max-requests-per-node',
    type: 'number',
    defaultText: '0',
    least: 0,
    most: 1_000_000,
    meaning: 'Requests in flight on one node; 0 for no such limit',
    verbs: GATEWAY,
  },
  {
    name: 'allow-older',
    type: 'flag',
    defaultText: 'false',
    meaning: 'Take a configuration older than the newest this machine has seen',
    verbs: GATEWAY,
  },
] as const satisfies readonly Setting[];

/** Every setting of Portcullis: flags, environment, file and help texts come from here. */
export const SETTINGS = [...MAIN_SETTINGS, ...TIMEOUT_SETTINGS, ...LIMIT_SETTINGS] as const satisfies readonly Setting[];

/** The name of a row. */
export type SettingName = (typeof SETTINGS)[number]['name'];
