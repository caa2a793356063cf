import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIssues, resourceKind, validateDocument } from './index.ts';

const ROUTE = { name: 'r', service_id: 's' };

function errorOf(body: object): string {
  const validation = validateDocument(resourceKind('stream_route'), body);
  return validation.ok ? '' : formatIssues(validation.issues);
}

test('a stream route tells connections by their addresses and port', () => {
  for (const more of [{ server_addr: '::1', server_port: 1 }, { remote_addr: '10.0.0.0/8' }, { remote_addr: '2001:db8::/32' }, {}])
    assert.equal(errorOf({ ...ROUTE, ...more }), '');
  for (const [more, pointer] of [
    [{ server_addr: 'localhost' }, '/server_addr'],
    [{ server_addr: '10.0.0.0/8' }, '/server_addr'],
    [{ remote_addr: '10.0.0.0/33' }, '/remote_addr'],
    [{ server_port: 0 }, '/server_port'],
    [{ service_id: 'constructor' }, '/service_id'],
  ] as const) {
    assert.ok(errorOf({ ...ROUTE, ...more }).startsWith(`Error at "${pointer}": `), pointer);
  }
});

test('an id in the body is that of the path', () => {
  const validation = validateDocument(resourceKind('stream_route'), { ...ROUTE, stream_route_id: 'b' }, 'a');
  assert.deepEqual(validation, { ok: false, issues: [{ pointer: '/stream_route_id', message: 'wrong stream_route id' }] });
});

test('of a stream service whose nodes are spoken to over TLS a writer is told that they are not verified, unless that is said', () => {
  const warnings = (upstream: object): readonly string[] =>
    resourceKind('service').warnings({ name: 's', type: 'stream', upstream: { nodes: [], ...upstream } });
  assert.match(warnings({ scheme: 'tls' }).join(), /not verified: set tls_verify/);
  assert.deepEqual(warnings({ scheme: 'tls', tls_verify: true }), []);
  assert.deepEqual(warnings({ scheme: 'tcp' }), []);
});
