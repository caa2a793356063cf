import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { type HostileWire, startHostileWire } from '../../test-support/hostile-wire.ts';
import { until } from '../../test-support/running-instance.ts';
import { type RestartableInstance, startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { KeyTable } from '../key-table.ts';
import { OWN_CHECKOUT } from '../portcullis/own-checkout.ts';

const FILL_PROGRAM = fileURLToPath(new URL('../portcullis/fill-store-process.ts', import.meta.url));
const SERVED_LIMIT_MS = 300_000;
/** Where a key is asked for. */
export const GUARDED_PATH = '/bench';

/** A control plane with many keys, a gateway that has them all, and the wire between. */
export interface FilledPlanes {
  readonly controlPlane: RestartableInstance;
  readonly gateway: RestartableInstance;
  readonly wire: HostileWire;
  /** Of the table, in force. */
  readonly key: string;
  /** From the start of the gateway's processes, without any copy on disk, to its first answer with 200. */
  readonly firstStartMs: number;
}

/** Starts them. The upstream is in this process. */
export async function startFilledPlanes(scope: { after(task: () => unknown): void }, keyCount: number): Promise<FilledPlanes> {
  const port = await startEchoUpstream(scope);
  const controlPlane = await startControlPlane(scope, { token: `a7ee-${crypto.randomUUID()}` });
  const nodes = [{ host: '127.0.0.1', port, weight: 1 }];
  const put = async (resource: string, body: unknown): Promise<void> => {
    const answer = await controlPlane.instance.admin('PUT', `/apisix/admin/${resource}`, body);
    if (answer.status !== 200) throw new Error(`${resource} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  };
  await put('services/bench', { name: 'bench', upstream: { nodes } });
  await put('routes/bench', { name: 'bench', paths: [GUARDED_PATH], service_id: 'bench', plugins: { 'key-auth': {} } });
  await put('consumers/changing', { username: 'changing' });
  await controlPlane.instance.stop();
  await promisify(execFile)(process.execPath, [FILL_PROGRAM, OWN_CHECKOUT, controlPlane.dataFolder, String(keyCount)]);
  await controlPlane.start();
  const wire = await startHostileWire(scope, { port: controlPlane.instance.ports.sync });
  const { key } = new KeyTable(keyCount).at(keyCount - 1);
  let startedMs = performance.now();
  const gateway = await startGateway(scope, controlPlane, {
    syncPorts: [wire.port],
    flags: ['--workers=1'],
    onStart: () => {
      startedMs = performance.now();
    },
  });
  await untilServed(gateway, key);
  return { controlPlane, gateway, wire, key, firstStartMs: performance.now() - startedMs };
}

/** Resolves with the first answer of 200. @throws Error when there is none for minutes */
export async function untilServed({ instance }: RestartableInstance, key: string): Promise<void> {
  const question = { port: instance.ports.http, path: GUARDED_PATH, key };
  await until(async () => (await statusFor(question)) === 200, 'a key opens', SERVED_LIMIT_MS);
}
