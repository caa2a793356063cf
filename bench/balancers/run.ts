import {
  type Balancer,
  ConsistentHash,
  compileHashKey,
  LatencyAverage,
  LeastConnections,
  LowestLatency,
  SmoothRoundRobin,
} from '../../src/gateway/balancer/index.ts';
import { SlotCounts } from '../../src/gateway/limits/slot-counts.ts';
import { systemRandom } from '../../src/lib/random.ts';

/*
 * `npm run bench:balancers`: what the choice of a node costs a request, in nanoseconds, for 2, 10 and 64 nodes. All run in this process, in
 * interleaved rounds; the median of the rounds counts. `first` takes the first node and shows what the measuring itself costs.
 */
const ROUNDS = 15;
const CHOICES = 100_000;
const WORKERS = 4;
const NOTHING: readonly number[] = [];
const ADDRESSES = Array.from({ length: 256 }, (_, index) => `10.0.0.${index}`);

const nodeOf = (index: number, weight: number, slot: number) => ({
  name: `10.1.0.${index}:80`,
  weight,
  priority: 0,
  loadSlot: slot,
  latency: new LatencyAverage(),
});

/** Every way to choose among so many nodes; some run with one node down, as they do in bad times. */
function variantsOf(count: number): ReadonlyMap<string, (turn: number) => number> {
  const counts = SlotCounts.forWorkers(WORKERS * 2 + 2);
  const slots = Array.from({ length: count }, (_, index) => counts.slotOf(BigInt(index + 1)));
  const even = slots.map((slot, index) => nodeOf(index, 1, slot));
  const weighted = slots.map((slot, index) => nodeOf(index, 1 + (index % 3), slot));
  const busySlots = Array.from({ length: count }, (_, index) => counts.slotOf(BigInt(1000 + index)));
  const busy = busySlots.map((slot, index) => nodeOf(index, 1 + (index % 3), slot));
  for (const slot of busySlots) for (let request = 0; request < 4; request++) counts.enter(slot, request % WORKERS, 100);
  for (const { latency } of even) latency.note(Math.random() * 10, performance.now());
  const down = new Uint8Array(count);
  down[0] = 1;
  const hashKey = compileHashKey({ on: 'vars', key: 'remote_addr' });
  let address = '';
  const request = { variable: () => address };
  const plain = (balancer: Balancer<unknown & { weight: number; priority: number }>, mask?: Uint8Array) => () =>
    balancer.next(NOTHING, mask);
  const hashed = (balancer: ConsistentHash<(typeof even)[number]>) => (turn: number) => {
    address = ADDRESSES[turn % ADDRESSES.length] ?? '';
    return balancer.next(NOTHING, undefined, hashKey(request));
  };
  return new Map([
    ['first', () => 0],
    ['roundrobin', plain(new SmoothRoundRobin(weighted, systemRandom))],
    ['roundrobin, one down', plain(new SmoothRoundRobin(weighted, systemRandom), down)],
    ['chash', hashed(new ConsistentHash(even))],
    ['chash, weighted', hashed(new ConsistentHash(weighted))],
    ['least_conn', plain(new LeastConnections(weighted, (slot) => counts.roughTotal(slot)))],
    ['least_conn, busy', plain(new LeastConnections(busy, (slot) => counts.roughTotal(slot)))],
    ['ewma', plain(new LowestLatency(even, { random: systemRandom, monotonicMs: () => performance.now() }))],
  ]);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}

function measure(variants: ReadonlyMap<string, (turn: number) => number>): ReadonlyMap<string, number> {
  const times = new Map<string, number[]>();
  let kept = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, choose] of variants) {
      const startedAtMs = performance.now();
      for (let turn = 0; turn < CHOICES; turn++) kept += choose(turn);
      const tookNs = ((performance.now() - startedAtMs) * 1e6) / CHOICES;
      times.set(name, [...(times.get(name) ?? []), tookNs]);
    }
  }
  if (kept < 0) throw new Error('nothing was chosen');
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

for (const count of [2, 10, 64]) {
  const costs = [...measure(variantsOf(count))].map(([name, nanoseconds]) => `${name} ${Math.round(nanoseconds)}`);
  process.stdout.write(`${String(count).padStart(2)} nodes, ns a choice: ${costs.join(' · ')}\n`);
}
