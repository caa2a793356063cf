import { hash } from 'node:crypto';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import type { AdcConfiguration } from './adc-client.ts';
import { SAMPLE_KEY } from './sample-resources.ts';

const MANAGED = { 'managed-by': 'adc' };
const NODES = [{ host: 'httpbin.org', port: 80, weight: 1 }];
const LONG = 'n'.repeat(65_536);

/** An id as ADC computes one of a name. */
export function adcID(name: string): string {
  return hash('sha1', name);
}

/** How many resources `adcConfiguration` has. */
export const ADC_RESOURCE_COUNT = 3 + 2 + 2 + 2 + 2 + 2 + 2 + 2 + 1;

/** What a user of ADC could write: every kind of resource, names of 65,536 characters, ids of his own and those that ADC computes. */
export async function adcConfiguration(): Promise<AdcConfiguration> {
  const [first, second] = await Promise.all([createTestCertificate(), createTestCertificate()]);
  return {
    services: [
      {
        id: adcID('shop'),
        name: 'shop',
        desc: '',
        type: 'http',
        labels: { ...MANAGED, list: '["a","b"]' },
        hosts: ['shop.example.com'],
        path_prefix: '/shop',
        upstream: {
          ...{ name: 'default', description: 'not desc', scheme: 'http', pass_host: 'pass', nodes: NODES, timeout: { connect: 5 } },
          ...{ keepalive_pool: { size: 10 }, retries: 2 },
          checks: {
            active: { type: 'tcp', https_verify_certificate: true, healthy: { interval: 1, http_statuses: [200, 302], successes: 2 } },
          },
        },
        plugins: { 'limit-count': { _meta: { disable: false }, count: 2, time_window: 60, policy: 'local', rejected_code: 503 } },
        routes: [
          {
            id: adcID('shop.all'),
            name: 'all',
            paths: ['/*'],
            methods: ['GET'],
            timeout: { read: 3 },
            enable_websocket: false,
            labels: MANAGED,
          },
          {
            id: 'my.route-1',
            name: LONG,
            desc: LONG,
            paths: ['/one'],
            priority: 7,
            plugins: { 'key-auth': { header: 'x', extra: 'kept' } },
          },
        ],
        upstreams: [
          { id: adcID('shop.blue'), name: 'blue', scheme: 'https', pass_host: 'node', nodes: NODES, retry_timeout: 3 },
          { id: 'green', name: 'green', type: 'chash', key: 'uri', hash_on: 'vars', nodes: [] },
        ],
      },
      {
        id: adcID('tcp'),
        name: 'tcp',
        type: 'stream',
        labels: MANAGED,
        upstream: { scheme: 'tcp', pass_host: 'pass', nodes: NODES, timeout: {} },
        stream_routes: [
          {
            id: adcID('tcp.a'),
            name: 'a',
            server_addr: '127.0.0.1',
            server_port: 9100,
            plugins: { 'ip-restriction': { whitelist: ['127.0.0.1'] } },
          },
          { id: adcID('tcp.b'), name: 'b', remote_addr: '10.0.0.0/8', labels: MANAGED },
        ],
      },
      { id: adcID('empty'), name: 'empty', type: 'http' },
    ],
    consumers: [
      {
        username: 'jack',
        desc: LONG,
        labels: MANAGED,
        plugins: { 'limit-count': { count: 1, time_window: 1, policy: 'local' } },
        credentials: [
          { id: adcID('jack.key'), name: 'key', plugins: { 'key-auth': { key: SAMPLE_KEY } } },
          { id: adcID('jack.basic'), name: 'basic', plugins: { 'basic-auth': { username: 'jack', password: 'pass' } }, labels: { a: 'b' } },
        ],
      },
      { username: 'jill', labels: { team: '2' } },
    ],
    ssls: [
      {
        id: adcID('a.example,b.example'),
        type: 'server',
        snis: ['a.example', 'b.example'],
        cert: `${first.cert}\n`,
        key: first.key,
        labels: MANAGED,
      },
      { id: 'mtls', type: 'server', snis: ['*.c.example'], ...second, client: { ca: first.cert, depth: 3 } },
    ],
    global_rules: { prometheus: { prefer_name: false, test: 'test' }, cors: {} },
    plugin_metadata: { 'http-logger': { log_format: { host: '$host' }, test: 'test' } },
  };
}
