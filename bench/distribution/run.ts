import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CleanupStack } from '../../test-support/cleanup-stack.ts';
import { processMemory } from '../measure/process-memory.ts';
import { OWN_CHECKOUT } from '../portcullis/own-checkout.ts';
import { commitOf, describeMachine } from '../report/machine.ts';
import { measurePropagation, type Propagation } from './measure-propagation.ts';
import { measureStall } from './measure-stall.ts';
import { startFilledPlanes, untilServed } from './start-filled-planes.ts';

// Run as: run.ts [--keys 1000,10000,100000] [--instances 1,10,50] [--writes 60]
const FOLDER = fileURLToPath(new URL('../results/', import.meta.url));
/** Each simulated instance loads all keys in this process: so many in all take some minutes, and 2 GB of disk for their journals. */
const MOST_SIMULATED_KEYS = 10_000_000;

/** Of one number of keys. */
interface DistributionRow {
  readonly keys: number;
  readonly snapshotWireBytes: number;
  readonly journalBytes: number;
  /** Proportional, of the gateway process with one worker; undefined where it cannot be read. */
  readonly gatewayPssBytes: number | undefined;
  readonly coldStartMs: { readonly fromControlPlane: number; readonly fromDisk: number };
  readonly propagation: readonly Propagation[];
  readonly stall: Awaited<ReturnType<typeof measureStall>>;
}

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000,10000,100000' },
    instances: { type: 'string', default: '1,10,50' },
    writes: { type: 'string', default: '60' },
  },
});
const instanceCounts = numbersOf('instances', values.instances);
const [writes = 1] = numbersOf('writes', values.writes);
const scope = new CleanupStack();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void scope.close().finally(() => process.exit(130)));
const startedAt = new Date().toISOString();
const rows: DistributionRow[] = [];
try {
  for (const keys of numbersOf('keys', values.keys)) {
    const row = await measureRow(keys);
    rows.push(row);
    print(row, rows[0] ?? row);
  }
} finally {
  await scope.close();
}
writeResult();

function numbersOf(name: string, text: string): readonly number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1)) throw new RangeError(`--${name} must be whole numbers`);
  return numbers;
}

async function measureRow(keys: number): Promise<DistributionRow> {
  const own = new CleanupStack();
  scope.after(() => own.close());
  try {
    const planes = await startFilledPlanes(own, keys);
    const { gateway, wire } = planes;
    const snapshotWireBytes = wire.bytesFromServer;
    const gatewayPssBytes = processMemory([gateway.instance.child('gateway')]).pssBytes;
    const journalBytes = journalSize(gateway.dataFolder);
    const stall = await measureStall(planes);
    await gateway.instance.stop();
    const startedMs = performance.now();
    await gateway.start();
    await untilServed(gateway, planes.key);
    const fromDisk = Math.round(performance.now() - startedMs);
    const propagation: Propagation[] = [];
    for (const instances of instanceCounts) {
      if ((instances - 1) * keys > MOST_SIMULATED_KEYS) process.stdout.write(`${instances} instances with ${keys} keys: left out\n`);
      else propagation.push(await measurePropagation(own, planes, { instances, writes }));
    }
    const coldStartMs = { fromControlPlane: Math.round(planes.firstStartMs), fromDisk };
    return { keys, snapshotWireBytes, journalBytes, gatewayPssBytes, coldStartMs, propagation, stall };
  } finally {
    await own.close();
  }
}

function journalSize(dataFolder: string): number {
  const folder = path.join(dataFolder, 'gateway');
  const files = readdirSync(folder).filter((name) => name.startsWith('journal-'));
  return files.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
}

function print(row: DistributionRow, first: DistributionRow): void {
  const { keys, coldStartMs, stall } = row;
  const perKey = (bytes: number): string => `${(bytes / keys).toFixed(0)} B`;
  const grown = (row.gatewayPssBytes ?? 0) - (first.gatewayPssBytes ?? 0);
  const inMemory =
    keys > first.keys ? `${(grown / (keys - first.keys)).toFixed(0)} B more than with ${first.keys}` : 'compared with by the others';
  const lines = [
    `\n${keys} keys`,
    `  a key on the wire ${perKey(row.snapshotWireBytes)}, on disk ${perKey(row.journalBytes)}, in memory ${inMemory}`,
    `  cold start to the first 200: ${coldStartMs.fromControlPlane} ms from the control plane, ${coldStartMs.fromDisk} ms from disk`,
    `  other requests, ms: quiet ${JSON.stringify(stall.quiet)}`,
    `                      one key changes 20/s ${JSON.stringify(stall.changing)}`,
    ...row.propagation.map(
      ({ instances, answered, inForce }) =>
        `  ${instances} instances, ms: answered p50 ${answered.p50} p99 ${answered.p99}${inForce === undefined ? '' : `, in force at the last p50 ${inForce.p50} p99 ${inForce.p99}`}`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function writeResult(): void {
  mkdirSync(FOLDER, { recursive: true });
  const commit = commitOf(OWN_CHECKOUT);
  const date = startedAt.slice(0, 16).replaceAll(':', '').replace('T', '-');
  const file = path.join(FOLDER, `distribution-${date}-${commit}.json`);
  writeFileSync(file, `${JSON.stringify({ startedAt, commit, machine: describeMachine(), node: process.version, rows }, undefined, 2)}\n`);
  process.stdout.write(`\n${file}\n`);
}
