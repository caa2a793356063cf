import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ResourceKindName } from '../../schema/index.ts';

/** One resource of a kind, and what tests must know of it. */
export interface SampleResource {
  readonly name: ResourceKindName;
  /** The path of its list. */
  readonly list: string;
  readonly id: string;
  readonly body: JsonObject;
  /** What answers show of the body. */
  readonly shown: JsonObject;
  /** The pointer of a field without which the body is refused. */
  readonly missing: string;
  /** Whether POST on the list creates one. */
  readonly isCreatable: boolean;
}

/** A key that nobody warns of. */
export const SAMPLE_KEY = 'k7Qm2ZxV9tLrB4nWc8HsJd3FgPy6EaUo';

/** One of every kind that is listed by path, in the order in which they can be written. Certificates are new on each call. */
export async function makeSampleResources(): Promise<readonly SampleResource[]> {
  const [own, pair, authority] = await Promise.all([createTestCertificate(), createTestCertificate(), createTestCertificate()]);
  return [
    sample('service', 'services', 's1', { name: 's1', hosts: ['a.example'] }, '/name'),
    sample('upstream', 'services/s1/upstreams', 'u1', { name: 'u1', scheme: 'https', nodes: [node('b.example')] }, '/nodes'),
    sample('route', 'routes', 'r1', { name: 'r1', paths: ['/a'], service_id: 's1' }, '/name'),
    sample('stream_route', 'stream_routes', 'sr1', { name: 'sr1', service_id: 's1', server_port: 9100 }, '/name'),
    sample('consumer', 'consumers', 'jack', { username: 'jack' }, '/username'),
    sample('credential', 'consumers/jack/credentials', 'c1', { name: 'c1', plugins: { 'key-auth': { key: SAMPLE_KEY } } }, '/plugins'),
    hiding('key', sample('ssl', 'ssls', 'ssl1', { snis: ['a.example', '*.a.example'], ...own }, '/snis')),
    hiding('key', sample('certificate', 'certificates', 'crt1', { name: 'crt1', ...pair }, '/cert')),
    sample('ca_certificate', 'ca_certificates', 'ca1', { name: 'ca1', cert: authority.cert }, '/cert'),
    sample('sni', 'snis', 'sni1', { name: 'sni1', domain: 'a.example', certificates: ['crt1'] }, '/domain'),
    sample('global_rule', 'global_rules', 'key-auth', { plugins: { 'key-auth': { header: 'x-key' } } }, '/plugins'),
    sample('proto', 'protos', 'p1', { name: 'p1', content: 'syntax = "proto3";' }, '/content'),
    masking('token', {
      ...sample('secret_provider', 'secret_providers', 'kubernetes/k1', SECRET_PROVIDER, '/apiserver_addr'),
      isCreatable: false,
    }),
  ];
}

const SECRET_PROVIDER = { apiserver_addr: 'https://kubernetes.example', token: 'the token itself' };

function node(host: string): JsonObject {
  return { host, port: 80, weight: 1, priority: 0 };
}

function sample(name: ResourceKindName, collection: string, id: string, body: JsonObject, missing: string): SampleResource {
  return { name, list: `/apisix/admin/${collection}`, id, body, shown: body, missing, isCreatable: true };
}

function hiding(field: string, resource: SampleResource): SampleResource {
  return { ...resource, shown: Object.fromEntries(Object.entries(resource.body).filter(([name]) => name !== field)) };
}

function masking(field: string, resource: SampleResource): SampleResource {
  return { ...resource, shown: { ...resource.body, [field]: '********' } };
}
