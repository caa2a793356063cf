import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from './frame-codec.ts';
import { parseControlPlaneMessage, parseGatewayMessage } from './parse-message.ts';
import { parseChanges, parseItems } from './parse-payload.ts';
import type { ControlPlaneMessage, GatewayMessage } from './protocol.ts';

const GATEWAY_MESSAGES: readonly GatewayMessage[] = [
  { kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '1.2.3', revision: 7 },
  { kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '1.2.3', revision: 7, history: 'a session' },
  { kind: 'applied', revision: 7, outcome: 'applied' },
  { kind: 'applied', revision: 7, outcome: 'refused', reason: 'crashed' },
  { kind: 'snapshot-request' },
  { kind: 'heartbeat', nowMs: 5 },
  { kind: 'health', nodes: [], omitted: 0 },
  {
    kind: 'health',
    nodes: [
      { serviceId: 's', host: 'a', address: '::1', port: 80, state: 'healthy' },
      { serviceId: 's', upstreamId: 'u', host: 'a', address: '::1', port: 80, state: 'unhealthy' },
    ],
    omitted: 3,
  },
];

const CONTROL_PLANE_MESSAGES: readonly ControlPlaneMessage[] = [
  {
    kind: 'welcome',
    protocol: 1,
    softwareVersion: '1.2.3',
    groupId: 'g',
    instanceId: 'i',
    revision: 7,
    keySalt: 'AA==',
    signingKey: 'AA==',
  },
  {
    kind: 'welcome',
    protocol: 1,
    softwareVersion: '1.2.3',
    groupId: 'g',
    instanceId: 'i',
    revision: 7,
    historyAccepted: false,
    keySalt: 'AA==',
    signingKey: 'AA==',
  },
  { kind: 'reject', reason: 'protocol 9 is not spoken here' },
  { kind: 'snapshot-start', revision: 7 },
  { kind: 'snapshot-start', revision: 7, history: 'a session' },
  { kind: 'snapshot-part', payload: '[]' },
  { kind: 'snapshot-end', revision: 7, itemCount: 0, signature: 'AA==' },
  { kind: 'delta', fromRevision: 6, toRevision: 7, payload: '[]', signature: 'AA==' },
  { kind: 'delta', fromRevision: 6, toRevision: 7, history: 'a session', payload: '[]', signature: 'AA==' },
  { kind: 'heartbeat', nowMs: 5 },
  { kind: 'heartbeat', nowMs: 5, storeAway: true },
];

/** A message may come without them. */
const OPTIONAL_FIELDS: ReadonlySet<string> = new Set(['reason', 'history', 'historyAccepted', 'storeAway']);

describe('messages from the other side', () => {
  test('every message is read back as it was written, and unknown fields are left out', () => {
    for (const message of GATEWAY_MESSAGES) {
      assert.deepEqual(parseGatewayMessage(JSON.stringify({ ...message, addedLater: 1 })), message);
    }
    for (const message of CONTROL_PLANE_MESSAGES) {
      assert.deepEqual(parseControlPlaneMessage(JSON.stringify({ ...message, addedLater: 1 })), message);
    }
  });

  test('what a gateway says of itself is cut to what a list of gateways can show', () => {
    const long = `${'9'.repeat(254)}\ud83d\udd11`;
    const hello = { kind: 'hello', protocol: 1, oldestProtocol: 1, revision: 7, softwareVersion: long, hostname: long, address: long };
    const read = new Map<string, unknown>(Object.entries(parseGatewayMessage(JSON.stringify(hello)) ?? {}));
    for (const name of ['softwareVersion', 'hostname', 'address']) assert.equal(read.get(name), `${'9'.repeat(254)}\ufffd`, name);
  });

  test('a kind that this version does not know is no error', () => {
    assert.equal(parseGatewayMessage('{"kind":"poem","rows":[]}'), undefined);
    assert.equal(parseControlPlaneMessage('{"kind":"hello"}'), undefined);
    assert.equal(parseControlPlaneMessage('{"kind":"__proto__"}'), undefined);
  });

  test('a known field that is missing or of another type is refused', () => {
    for (const message of [...GATEWAY_MESSAGES, ...CONTROL_PLANE_MESSAGES]) {
      for (const field of Object.keys(message)) {
        for (const wrong of [undefined, null, {}, [1], field === 'historyAccepted' || field === 'storeAway' ? 'true' : true, -1, 1.5]) {
          if (OPTIONAL_FIELDS.has(field) && wrong === undefined) continue;
          const text = JSON.stringify({ ...message, [field]: wrong });
          assert.throws(() => parseGatewayMessage(text) ?? parseControlPlaneMessage(text) ?? assert.fail(text), ProtocolError);
        }
      }
    }
    assert.throws(() => parseGatewayMessage('{"kind":"applied","revision":1,"outcome":"perhaps"}'), ProtocolError);
  });

  test('whatever text arrives, it is a message, ignored or a protocol error', () => {
    const hostile = ['', 'null', '[]', '"x"', '{', '{"kind":5}', '{"__proto__":{"kind":"hello"}}', '['.repeat(200_000)];
    const check = (text: string): void => {
      for (const parse of [parseGatewayMessage, parseControlPlaneMessage, parseItems, parseChanges]) {
        try {
          parse(text);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    };
    hostile.forEach(check);
    fc.assert(fc.property(fc.json(), check));
  });

  test('an error about a message does not quote it', () => {
    assert.throws(
      () => parseGatewayMessage('{"kind": secret-text'),
      (error: Error) => !error.message.includes('secret-text'),
    );
  });
});

describe('payloads', () => {
  const digest = Buffer.alloc(32, 1).toString('base64');
  const REFERENCES = [
    { plugin: 'key-auth', unique: { reference: '$env://KEY' } },
    { plugin: 'basic-auth', unique: { digest }, configuration: { username: 'u', password: '$env://PASSWORD' } },
    { plugin: 'basic-auth', unique: { reference: '$env://USER' }, data: { password_digest: digest } },
  ];

  test('items of all kinds are read, and kinds of later versions are counted but left out', () => {
    const items = [
      { kind: 'service', id: 's', value: { name: 'S' } },
      { kind: 'upstream', id: 'u', service: 's', value: {} },
      { kind: 'route', id: 'r', value: {} },
      { kind: 'consumer', id: 'jack', value: {}, keys: [] },
      { kind: 'credential', id: 'c', consumer: 'jack', value: {}, keys: [{ plugin: 'key-auth', digest }] },
      { kind: 'credential', id: 'd', consumer: 'jack', value: {}, keys: [{ plugin: 'basic-auth', digest, data: { a: [1] } }] },
      { kind: 'global_rule', id: 'cors', value: { plugins: { cors: {} } } },
      { kind: 'plugin_metadata', id: 'http-logger', value: { log_format: {} } },
      { kind: 'secret_provider', id: 'vault/1', value: { token: 't' } },
      { kind: 'credential', id: 'e', consumer: 'jack', value: {}, keys: [], references: REFERENCES },
      { kind: 'consumer', id: 'jill', value: {}, keys: [], references: REFERENCES },
    ];
    const payload = JSON.stringify([...items, { kind: 'secret-manager', id: 'x' }]);
    assert.deepEqual(parseItems(payload), { items, count: items.length + 1 });
  });

  test('changes are puts and deletes of known kinds', () => {
    const changes = [
      { op: 'put', item: { kind: 'route', id: 'r', value: {} } },
      { op: 'delete', name: { kind: 'credential', parentId: 'jack', id: 'c' } },
      { op: 'put', item: { kind: 'plugin_metadata', id: 'http-logger', value: {} } },
      { op: 'delete', name: { kind: 'global_rule', parentId: '', id: 'cors' } },
    ];
    const later = { op: 'delete', name: { kind: 'secret-manager', parentId: '', id: 'x' } };
    assert.deepEqual(parseChanges(JSON.stringify([...changes, later])), { changes, count: 5 });
    assert.throws(() => parseChanges('[{"op":"move"}]'), ProtocolError);
  });

  test('a digest that is not 32 bytes and a value that is no object are refused', () => {
    for (const wrong of ['', 'AA==', `${digest} `, 7]) {
      const item = { kind: 'consumer', id: 'jack', value: {}, keys: [{ plugin: 'key-auth', digest: wrong }] };
      assert.throws(() => parseItems(JSON.stringify([item])), ProtocolError);
    }
    for (const wrong of [undefined, null, 'x', []]) {
      for (const kind of ['route', 'global_rule', 'plugin_metadata']) {
        assert.throws(() => parseItems(JSON.stringify([{ kind, id: 'r', value: wrong }])), ProtocolError);
      }
    }
    for (const data of [null, 'x', 7, []]) {
      const item = { kind: 'consumer', id: 'jack', value: {}, keys: [{ plugin: 'basic-auth', digest, data }] };
      assert.throws(() => parseItems(JSON.stringify([item])), ProtocolError);
    }
    const [reference] = REFERENCES;
    for (const references of [null, {}, [null], [{ ...reference, unique: null }], [{ ...reference, unique: { digest: 'AA==' } }]]) {
      const item = { kind: 'credential', id: 'c', consumer: 'jack', value: {}, keys: [], references };
      assert.throws(() => parseItems(JSON.stringify([item])), ProtocolError);
    }
  });
});
