import assert from 'node:assert/strict';
import type { RunningInstance } from '../../test-support/running-instance.ts';

/** The path that needs a key. */
export const GUARDED_PATH = '/guarded';

/** Publishes one service with a route behind key-auth at `GUARDED_PATH`, and the consumers that are named. */
export async function publishGuardedRoute(instance: RunningInstance, upstreamPort: number, consumers: readonly string[]): Promise<void> {
  const nodes = [{ host: '127.0.0.1', port: upstreamPort, weight: 1 }];
  const writes: readonly (readonly [string, unknown])[] = [
    ['services/echo', { name: 'echo', upstream: { nodes } }],
    ['routes/guarded', { name: 'guarded', paths: [GUARDED_PATH], service_id: 'echo', plugins: { 'key-auth': {} } }],
    ...consumers.map((username) => [`consumers/${username}`, { username }] as const),
  ];
  for (const [resource, body] of writes) {
    const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
}
