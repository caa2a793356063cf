import { randomUUID } from 'node:crypto';
import { joinSimulatedInstance, type SimulatedInstance } from '../../test-support/simulated-instances.ts';
import { until } from '../session/until.ts';
import type { FilledPlanes } from './start-filled-planes.ts';

/** Milliseconds. */
export interface Propagation {
  readonly instances: number;
  readonly writes: number;
  /** From the request to its answer, which waits for all instances. */
  readonly answered: { readonly p50: number; readonly p99: number };
  /** From the request until the last simulated instance has it in force; undefined where there is only the real gateway. */
  readonly inForce: { readonly p50: number; readonly p99: number } | undefined;
}

const CATCH_UP_LIMIT_MS = 300_000;

/** Exchanges a key `writes` times while a real gateway and simulated ones, `instances` in all, follow. */
export async function measurePropagation(
  scope: { after(task: () => unknown): void },
  planes: FilledPlanes,
  options: { readonly instances: number; readonly writes: number },
): Promise<Propagation> {
  const { instances, writes } = options;
  const { instance: plane } = planes.controlPlane;
  const simulated: SimulatedInstance[] = [];
  while (simulated.length < instances - 1) simulated.push(await joinSimulatedInstance(scope, { plane }));
  const write = () =>
    plane.admin(
      'PUT',
      '/apisix/admin/consumers/changing/credentials/c',
      { plugins: { 'key-auth': { key: randomUUID() } } },
      { Prefer: 'wait=30' },
    );
  const whole = `${instances}/${instances}`;
  await until(async () => (await write()).headers['portcullis-applied'] === whole, `${whole} are current`, CATCH_UP_LIMIT_MS);
  const answered: number[] = [];
  const inForce: number[] = [];
  for (let turn = 0; turn < writes; turn++) {
    const sentMs = performance.now();
    const answer = await write();
    answered.push(performance.now() - sentMs);
    if (answer.headers['portcullis-applied'] !== whole) throw new Error(`${answer.headers['portcullis-applied']} instead of ${whole}`);
    const revision = Number(answer.headers['portcullis-revision']);
    if (simulated.length > 0)
      inForce.push(Math.max(...simulated.map(({ inForceAtMs }) => inForceAtMs.get(revision) ?? Number.NaN)) - sentMs);
  }
  for (const each of simulated) await each.stop();
  return { instances, writes, answered: shares(answered), inForce: inForce.length === 0 ? undefined : shares(inForce) };
}

/** The middle and the 99th percentile. */
export function shares(values: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number): number => Math.round((sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 100) / 100;
  return { p50: at(0.5), p99: at(0.99) };
}
