import type { JsonObject } from '../../lib/json.ts';
import type { SnapshotItem } from '../../schema/index.ts';
import { keyDigestOf } from './test-gateway.ts';

/** The service `service` with one node on 127.0.0.1, and whatever else a test says of it. */
export function serviceItem(port: number, more: JsonObject = {}): SnapshotItem {
  const nodes = [{ host: '127.0.0.1', port, weight: 100 }];
  return { kind: 'service', id: 'service', value: { name: 'service', upstream: { type: 'roundrobin', scheme: 'http', nodes }, ...more } };
}

/** A route of the service `service`. */
export function routeItem(id: string, more: JsonObject): SnapshotItem {
  return { kind: 'route', id, value: { name: id, service_id: 'service', ...more } };
}

/** The configuration of the key-auth guide: jack may call `/anything/*` with the key `secret-api-key`. */
export function guideItems(port: number): readonly SnapshotItem[] {
  return [
    { kind: 'credential', id: 'cred', consumer: 'jack', value: { name: 'cred' }, keys: [keyDigestOf('secret-api-key')] },
    { kind: 'consumer', id: 'jack', value: { username: 'jack', labels: { custom_id: 'c-7' } }, keys: [] },
    routeItem('route', { paths: ['/anything/*'], methods: ['GET', 'POST'], plugins: { 'key-auth': { header: 'apikey' } } }),
    serviceItem(port),
  ];
}
