import type { ConfigurationApplier } from '../../distribution/gateway-side.ts';
import type { SnapshotItem } from '../../schema/index.ts';

/** The id of a route that ends the process where tests have hooks. */
const CRASHING_ROUTE = 'test-crashes-the-gateway';
const EXIT_CODE = 70;

/** For tests: an applier whose process ends in the middle of putting a revision in force that has the route `test-crashes-the-gateway`. */
export function crashOnPurpose(applier: ConfigurationApplier): ConfigurationApplier {
  return {
    loadSnapshot: (items, meta) => applier.loadSnapshot(watched(items), meta),
    applyDelta: (delta) => {
      for (const change of delta.changes) if (change.op === 'put') endIfCrashing(change.item);
      return applier.applyDelta(delta);
    },
  };
}

async function* watched(items: AsyncIterable<readonly SnapshotItem[]>): AsyncGenerator<readonly SnapshotItem[], void> {
  for await (const part of items) {
    for (const item of part) endIfCrashing(item);
    yield part;
  }
}

function endIfCrashing({ kind, id }: SnapshotItem): void {
  if (kind === 'route' && id === CRASHING_ROUTE) process.exit(EXIT_CODE);
}
