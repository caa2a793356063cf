import { prefixOf, sampleRoute } from './sample-routes.ts';

/** A service as it is written. */
export function serviceDocument(index: number) {
  const upstream = { nodes: [{ host: '127.0.0.1', port: 8080, weight: 1 }] };
  return { name: `service_${index}`, path_prefix: prefixOf(index), upstream };
}

/** A route behind key-auth as it is written; another path where a tag is given. */
export function routeDocument(index: number, count: number, tag = '') {
  const { id, service, path } = sampleRoute(index, count, tag);
  return { name: id, service_id: `service_${service}`, paths: [path], plugins: { 'key-auth': {} } };
}
