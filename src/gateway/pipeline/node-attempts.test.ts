import assert from 'node:assert/strict';
import test from 'node:test';
import type { ErrorReason } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import type { EffectiveUpstream } from '../../schema/index.ts';
import type { RequestAdmission } from '../limits/index.ts';
import { AddressBook, type Endpoint, RuntimeUpstream } from '../runtime/index.ts';
import { CountedTargets } from '../testing/test-runtime.ts';
import { TicketKeys, TlsItems, UpstreamIdentities } from '../tls/index.ts';
import { NodeAttempts } from './node-attempts.ts';

/** Counts what is entered, and knows which slots are full. Slot 0 is the service, others are the nodes' ports. */
class SlotRecorder implements RequestAdmission {
  readonly full = new Set<number>();
  readonly entered: number[] = [];
  readonly refusals: ErrorReason[] = [];

  enterService(slot: number): boolean {
    return this.enterNode(slot);
  }

  leaveService(slot: number): void {
    this.leaveNode(slot);
  }

  enterNode(slot: number): boolean {
    if (!this.full.has(slot)) this.entered.push(slot);
    return !this.full.has(slot);
  }

  leaveNode(slot: number): void {
    const index = this.entered.indexOf(slot);
    assert.notEqual(index, -1, `${slot} was not entered`);
    this.entered.splice(index, 1);
  }

  refused(reason: ErrorReason): void {
    this.refusals.push(reason);
  }
}

function upstreamOf(ports: readonly number[], more: Partial<EffectiveUpstream> = {}): RuntimeUpstream {
  const settings: EffectiveUpstream = {
    nodes: ports.map((port) => ({ host: '10.0.0.1', port, weight: 1, priority: 0 })),
    scheme: undefined,
    discovery: undefined,
    isGrpc: false,
    balancing: { kind: 'roundrobin' },
    tls: undefined,
    checks: undefined,
    passHost: 'pass',
    upstreamHost: undefined,
    retries: undefined,
    retryTimeoutMs: 0,
    connectTimeoutMs: 0,
    sendTimeoutMs: 0,
    readTimeoutMs: 0,
    keepalivePoolSize: 1,
    keepaliveIdleTimeoutMs: 1,
    keepaliveRequests: 1,
    ...more,
  };
  const slots = { serviceSlot: () => 0, nodeSlot: (_address: string, port: number) => port, requestsInFlight: () => 0 };
  const tls = new TlsItems({
    fallbackName: undefined,
    ticketKeys: new TicketKeys(systemRandom.bytes(32)),
    nowMs: () => 0,
    onProblem: () => {},
  });
  const surroundings = {
    identities: new UpstreamIdentities({ items: tls, verifiesByDefault: false, onFailed: () => {}, onProblem: () => {} }),
    addresses: new AddressBook(),
    targets: new CountedTargets(),
    slots,
    mayDial: () => true,
    random: systemRandom,
    monotonicMs: () => 0,
    health: undefined,
  };
  const upstream = new RuntimeUpstream('s', settings, surroundings);
  upstream.attach();
  return upstream;
}

/** A request without any variable. */
const NO_VARIABLES = { variable: () => undefined };

function portOf(endpoint: Endpoint | ErrorReason): number | ErrorReason {
  return typeof endpoint === 'string' ? endpoint : endpoint.target.port;
}

test('a request is counted for its service and its node from its beginning to its end', () => {
  const admission = new SlotRecorder();
  const attempts = new NodeAttempts(() => 0, admission);
  attempts.begin(upstreamOf([81]), NO_VARIABLES);
  assert.deepEqual(admission.entered, [0, 81]);
  attempts.end();
  attempts.end();
  assert.deepEqual(admission.entered, []);
});

test('a further attempt leaves the node that failed for the next', () => {
  const admission = new SlotRecorder();
  const attempts = new NodeAttempts(() => 0, admission);
  const first = portOf(attempts.begin(upstreamOf([81, 82]), NO_VARIABLES));
  const second = portOf(attempts.next(1, 'connect_refused'));
  assert.notEqual(first, second);
  assert.deepEqual(admission.entered, [0, second]);
  assert.equal(attempts.next(2, 'connect_refused'), 'connect_refused');
  assert.deepEqual(admission.entered, [0]);
  attempts.end();
});

test('a full node is passed over and is no attempt', () => {
  const admission = new SlotRecorder();
  admission.full.add(81);
  for (let turn = 0; turn < 4; turn++) {
    const attempts = new NodeAttempts(() => 0, admission);
    const first = portOf(attempts.begin(upstreamOf([81, 82, 83], { retries: 1 }), NO_VARIABLES));
    const second = portOf(attempts.next(1, 'connect_refused'));
    assert.deepEqual(new Set([first, second]), new Set([82, 83]));
    attempts.end();
  }
  assert.deepEqual([admission.refusals, admission.entered], [[], []]);
});

test('a full service and an upstream of full nodes are refused, each for its reason, and leave nothing counted', () => {
  const admission = new SlotRecorder();
  const attempts = new NodeAttempts(() => 0, admission);
  admission.full.add(81).add(82);
  assert.equal(attempts.begin(upstreamOf([81, 82]), NO_VARIABLES), 'nodes_overloaded');
  attempts.end();
  admission.full.add(0);
  assert.equal(attempts.begin(upstreamOf([83]), NO_VARIABLES), 'service_overloaded');
  attempts.end();
  assert.deepEqual(admission.entered, []);
  assert.deepEqual(admission.refusals, ['nodes_overloaded', 'service_overloaded']);
});

test('however many nodes are full, few choices are made, and the one that is free is found, of a lower priority too', (t) => {
  for (const balancing of [{ kind: 'roundrobin' }, { kind: 'ewma' }, { kind: 'chash', hash: { on: 'vars', key: 'uri' } }] as const) {
    const admission = new SlotRecorder();
    const ports = Array.from({ length: 500 }, (_, index) => 1000 + index);
    for (const port of ports) admission.full.add(port);
    const nodes = ports.map((port, index) => ({ host: '10.0.0.1', port, weight: 1, priority: index === 321 ? -1 : 0 }));
    const upstream = upstreamOf([], { nodes, balancing });
    const choices = t.mock.method(upstream.choice.balancer, 'next');
    const asked = t.mock.method(admission, 'enterNode');
    const attempts = new NodeAttempts(() => 0, admission);
    assert.equal(attempts.begin(upstream, NO_VARIABLES), 'nodes_overloaded');
    attempts.end();
    assert.ok(choices.mock.callCount() <= 17, `${choices.mock.callCount()} choices`);
    assert.ok(asked.mock.callCount() <= 520, `${asked.mock.callCount()} nodes asked`);
    assert.ok(choices.mock.calls.every((call) => (call.arguments[0]?.length ?? 0) <= 17));
    assert.deepEqual([admission.entered, admission.refusals], [[], ['nodes_overloaded']]);
    admission.full.delete(1321);
    assert.equal(portOf(attempts.begin(upstream, NO_VARIABLES)), 1321);
    assert.deepEqual(admission.entered, [0, 1321]);
    assert.equal(attempts.next(1, 'connect_refused'), 'connect_refused');
    attempts.end();
    assert.deepEqual(admission.entered, []);
    assert.ok(choices.mock.callCount() <= 3 * 17 + 1, `${choices.mock.callCount()} choices`);
  }
});

test('attempts go by the key that the head had when the request began', () => {
  const upstream = upstreamOf([81, 82, 83, 84], { balancing: { kind: 'chash', hash: { on: 'vars', key: 'http_x_role' } } });
  const order = (role: string): readonly (number | ErrorReason)[] => {
    let reads = 0;
    const attempts = new NodeAttempts(() => 0, undefined);
    const variable = (name: string) => (name === 'http_x_role' && reads++ === 0 ? role : undefined);
    const ports = [portOf(attempts.begin(upstream, { variable }))];
    for (let attempt = 1; attempt < 4; attempt++) ports.push(portOf(attempts.next(attempt, 'connect_refused')));
    attempts.end();
    return ports;
  };
  const orders = Array.from({ length: 20 }, (_, index) => order(`role${index}`));
  for (const [index, ports] of orders.entries()) {
    assert.deepEqual([...ports].sort(), [81, 82, 83, 84]);
    assert.deepEqual(order(`role${index}`), ports);
  }
  assert.ok(new Set(orders.map(String)).size > 5);
});

test('nodes of weight 0 are no full nodes', () => {
  const admission = new SlotRecorder();
  const attempts = new NodeAttempts(() => 0, admission);
  const nodes = [81, 82].map((port) => ({ host: '10.0.0.1', port, weight: 0, priority: 0 }));
  assert.equal(attempts.begin(upstreamOf([], { nodes }), NO_VARIABLES), 'no_usable_node');
  attempts.end();
  assert.deepEqual(admission.refusals, []);
});

test('a node that has taken a stream is timed by that, and not by how the stream ends', () => {
  let nowMs = 0;
  const attempts = new NodeAttempts(() => nowMs, undefined);
  const endpoint = attempts.begin(upstreamOf([81], { balancing: { kind: 'ewma' } }), NO_VARIABLES);
  assert.ok(typeof endpoint !== 'string');
  attempts.next(0, undefined);
  nowMs = 40;
  attempts.noteReached();
  assert.equal(endpoint.latency?.at(40), 40);
  attempts.end({ upstreamStatus: 0, reason: 'upstream_closed', firstByteAtMs: 0 });
  assert.equal(endpoint.latency?.at(40), 40);
});
