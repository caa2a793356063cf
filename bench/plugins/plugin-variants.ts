import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { authenticationVariants } from './authentication-variants.ts';

/** Where the plugins of a run find what they need. */
export interface VariantPlaces {
  /** Takes whatever loggers send. */
  readonly collectorPort: number;
  /** An existing folder. */
  readonly folder: string;
}

/** A set of plugins on a service of its own, behind `key-auth` unless one of them authenticates. */
export interface PluginVariant {
  readonly name: string;
  /** Name → configuration. */
  plugins(places: VariantPlaces): Readonly<Record<string, object>>;
  /** A credential of the run's caller that the requests need; undefined: the keys of the run. */
  readonly credential: Readonly<Record<string, object>> | undefined;
  /** What the request asks for, below the variant's prefix. */
  readonly path: string;
  /** The answer's length is not the one that stands at the end of the path. */
  readonly isRecoded: boolean;
  /** What nginx does for the same job, inside the location; undefined where it cannot. */
  readonly nginx: string | undefined;
  /** Headers that clients send besides, as lines. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Too high to be reached: what counts is the counting. */
const NEVER = 1_000_000_000;

/** One representative configuration of each plugin that can run behind key-auth without ending the request. */
const ALONE: Readonly<Record<string, object>> = {
  'consumer-restriction': { blacklist: ['nobody'] },
  acl: { deny_labels: { team: ['none'] } },
  'ip-restriction': { whitelist: ['127.0.0.0/8', '::1'] },
  'ua-restriction': { bypass_missing: true, denylist: ['(Spider|Bot)/'] },
  'referer-restriction': { bypass_missing: true, whitelist: ['*.example.com'] },
  'uri-blocker': { block_rules: ['root.exe', 'root.m+'] },
  cors: {},
  'client-control': { max_body_size: 1_048_576 },
  'limit-count': { count: NEVER, time_window: 60, key: 'consumer_name' },
  // Without a burst two requests of the same millisecond are one too many.
  'limit-req': { rate: NEVER, burst: 1_000_000, nodelay: true, key: 'consumer_name' },
  'limit-conn': { conn: NEVER, burst: 0, default_conn_delay: 0.1, key: 'consumer_name' },
  'api-breaker': { break_response_code: 502 },
  'traffic-split': { rules: [{ weighted_upstreams: [{ weight: 1 }] }] },
  'request-id': {},
  'real-ip': { source: 'http_x_real_ip', trusted_addresses: ['10.0.0.0/8'] },
  'fault-injection': { delay: { duration: 1, percentage: 0 } },
  'proxy-rewrite': { headers: { set: { 'X-Api': 'bench' } } },
  'response-rewrite': { headers: { set: { 'X-Api': 'bench' } } },
  gzip: { types: '*', min_length: 1 },
  brotli: { types: '*', min_length: 1 },
  csrf: { key: 'bench' },
  'request-validation': { header_schema: { type: 'object', required: ['host'] } },
  prometheus: {},
};

/** Those that answer by themselves: nothing is asked of the upstream. */
const ANSWERING: Readonly<Record<string, object>> = {
  redirect: { uri: '/elsewhere', ret_code: 200 },
  mocking: { response_example: 'x'.repeat(100) },
};

/** Those that tell others of each request. */
const TELLING: Readonly<Record<string, (places: VariantPlaces) => object>> = {
  'http-logger': ({ collectorPort }) => ({ uri: `http://127.0.0.1:${collectorPort}/bench/accept` }),
  'file-logger': ({ folder }) => ({ path: path.join(folder, 'requests.log') }),
  opentelemetry: () => ({ sampler: { name: 'always_on' } }),
};

/** What nginx has for the same job; its zones and maps are in `NGINX_ZONES`. */
const NGINX: Readonly<Record<string, string>> = {
  'limit-req': 'limit_req zone=rate burst=100000 nodelay;',
  'limit-conn': 'limit_conn inflight 65535;',
  'proxy-rewrite': 'proxy_set_header X-Api bench;',
  'response-rewrite': 'add_header X-Api bench;',
  gzip: 'gzip on; gzip_types *; gzip_min_length 1; gzip_comp_level 1; gzip_http_version 1.1; gzip_proxied any;',
};

/** For the `http` block. */
export const NGINX_ZONES = `
  limit_req_zone $consumer zone=rate:10m rate=1000000r/s;
  limit_conn_zone $consumer zone=inflight:10m;`;

/** What most operators switch on, beside the access log. */
const OBSERVED = ['prometheus', 'limit-count'];
const FIVE = ['ip-restriction', 'limit-count', 'request-id', 'proxy-rewrite', 'prometheus'];
const FIFTEEN = [
  ...FIVE,
  'consumer-restriction',
  'ua-restriction',
  'referer-restriction',
  'uri-blocker',
  'cors',
  'client-control',
  'limit-req',
  'limit-conn',
  'api-breaker',
  'response-rewrite',
];

const KEY_AUTH = { 'key-auth': { header: 'apikey' } };
const PLAIN = 'bench/100';
/** Long enough to be worth compressing. */
const LONG = 'bench/10240';

/** All that rows can name: `none`, each plugin alone, and two, five and fifteen together. */
export const PLUGIN_VARIANTS: readonly PluginVariant[] = [
  variant('none', []),
  ...[...authenticationVariants(randomBytes(24).toString('hex'), Date.now(), (name) => `${variantPrefix(name)}/${PLAIN}`)].map(
    ([name, { plugins, credential, headers }]): PluginVariant => ({
      ...{ name, plugins: () => plugins, credential, headers },
      ...{ path: PLAIN, isRecoded: false, nginx: undefined },
    }),
  ),
  ...Object.keys(ALONE).map((name) => variant(name, [name])),
  ...Object.entries(ANSWERING).map(([name, plugin]) => ({
    ...variant(name, []),
    ...{ plugins: () => ({ ...KEY_AUTH, [name]: plugin }), isRecoded: name === 'redirect', nginx: undefined },
  })),
  ...Object.entries(TELLING).map(([name, plugin]) => ({
    ...variant(name, []),
    ...{ plugins: (places: VariantPlaces) => ({ ...KEY_AUTH, [name]: plugin(places) }), nginx: undefined },
  })),
  variant('observed', OBSERVED),
  variant('five', FIVE),
  variant('fifteen', FIFTEEN),
];

/** Where a variant is served. */
export function variantPrefix(name: string): string {
  return `/plugins-${name}`;
}

function variant(name: string, names: readonly string[]): PluginVariant {
  const coding = names.includes('gzip') ? 'gzip' : names.includes('brotli') ? 'br' : undefined;
  return {
    name,
    plugins: () => ({ ...KEY_AUTH, ...Object.fromEntries(names.map((each) => [each, ALONE[each] ?? {}])) }),
    credential: undefined,
    path: coding === undefined ? PLAIN : LONG,
    isRecoded: coding !== undefined,
    nginx: name === 'none' ? '' : NGINX[name === 'observed' ? 'limit-req' : name],
    headers: coding === undefined ? {} : { 'Accept-Encoding': coding },
  };
}
