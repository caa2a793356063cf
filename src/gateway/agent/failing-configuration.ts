import type { ConfigurationApplier } from '../../distribution/gateway-side.ts';
import type { SnapshotChange, SnapshotItem } from '../../schema/index.ts';

/** The id of a route that ends the process where tests have hooks. */
const CRASHING_ROUTE = 'test-crashes-the-gateway';
/** The id of a service that this instance takes for one it cannot serve where tests have hooks: as of a newer control plane. */
const UNSERVABLE_SERVICE = 'test-cannot-be-served';
const UNSERVABLE_UPSTREAM = { discovery_type: 'consul', service_name: 'test' };
const EXIT_CODE = 70;

/**
 * For tests: an applier whose process ends in the middle of putting a revision in force that has the route `test-crashes-the-gateway`, and
 * which is given the service `test-cannot-be-served` with an upstream that this version knows no way to find.
 */
export function failingConfiguration(applier: ConfigurationApplier): ConfigurationApplier {
  return {
    loadSnapshot: (items, meta) => applier.loadSnapshot(spoiledParts(items), meta),
    applyDelta: (delta) => applier.applyDelta({ ...delta, changes: delta.changes.map(spoiledChange) }),
  };
}

async function* spoiledParts(items: AsyncIterable<readonly SnapshotItem[]>): AsyncGenerator<readonly SnapshotItem[], void> {
  for await (const part of items) yield part.map(spoiled);
}

function spoiledChange(change: SnapshotChange): SnapshotChange {
  return change.op === 'put' ? { ...change, item: spoiled(change.item) } : change;
}

function spoiled(item: SnapshotItem): SnapshotItem {
  if (item.kind === 'route' && item.id === CRASHING_ROUTE) process.exit(EXIT_CODE);
  if (item.kind !== 'service' || item.id !== UNSERVABLE_SERVICE) return item;
  return { ...item, value: { ...item.value, upstream: UNSERVABLE_UPSTREAM } };
}
