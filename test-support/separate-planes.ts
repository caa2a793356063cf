import path from 'node:path';
import { runPortcullis } from './run-portcullis.ts';
import { RunningInstance, type StartOptions } from './running-instance.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The Admin API's limits of requests would be reached by what a test writes. */
const UNLIMITED = ['--admin-requests-per-user', '0', '--admin-requests-per-address', '0'];

/** A role that can be ended and started again with the same data, token and ports. */
export interface RestartableInstance {
  readonly dataFolder: string;
  /** The processes that run, or ran last. */
  readonly instance: RunningInstance;
  /** @throws Error when it does not become ready */
  start(): Promise<void>;
  /** What `start` starts it with. */
  startOptions(): StartOptions;
}

interface Scope {
  after(task: () => unknown): void;
}

/** A control plane alone. */
export async function startControlPlane(
  scope: Scope,
  options: {
    readonly token: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly flags?: readonly string[];
    /** A fresh one when absent. */
    readonly dataFolder?: string;
  },
): Promise<RestartableInstance> {
  const { token, environment = {}, flags = [] } = options;
  return startRestartable(scope, { token, dataFolder: options.dataFolder ?? (await temporaryFolder(scope)) }, (ports) => ({
    verb: 'control-plane',
    environment,
    flags: [...UNLIMITED, ...flags, ...(ports === undefined ? [] : [`--admin-port=${ports.admin}`, `--sync-port=${ports.sync}`])],
  }));
}

/** A gateway alone, with an identity that `instance create` makes beside the control plane. */
export async function startGateway(
  scope: Scope,
  controlPlane: RestartableInstance,
  options: {
    /** The control plane's, or that of what stands between; with several, those of all control planes. */
    readonly syncPorts?: readonly number[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly flags?: readonly string[];
    /** A fresh one when absent. */
    readonly dataFolder?: string;
    /** The identity is there; now the processes start. */
    readonly onStart?: () => void;
  } = {},
): Promise<RestartableInstance> {
  const { syncPorts = [controlPlane.instance.ports.sync], environment = {}, flags = [], onStart } = options;
  const identityFile = path.join(await temporaryFolder(scope), 'identity.json');
  await runPortcullis(['instance', 'create', '--data-dir', controlPlane.dataFolder, '--identity-file', identityFile], environment);
  onStart?.();
  const dataFolder = options.dataFolder ?? (await temporaryFolder(scope));
  return startRestartable(scope, { token: 'unused-by-a-gateway', dataFolder }, (ports) => ({
    verb: 'gateway',
    environment,
    flags: [
      `--control-plane=${syncPorts.map((port) => `127.0.0.1:${port}`).join(',')}`,
      `--identity-file=${identityFile}`,
      ...flags,
      ...(ports === undefined ? [] : [`--http-port=${ports.http}`, `--status-port=${ports.status}`]),
    ],
  }));
}

async function startRestartable(
  scope: Scope,
  { token, dataFolder }: { readonly token: string; readonly dataFolder: string },
  optionsFor: (ports: RunningInstance['ports'] | undefined) => Omit<StartOptions, 'dataFolder'>,
): Promise<RestartableInstance> {
  let instance = await RunningInstance.start({ dataFolder, ...optionsFor(undefined) }, token);
  scope.after(() => instance.killEverything());
  const startOptions = (): StartOptions => ({ dataFolder, ...optionsFor(instance.ports) });
  return {
    dataFolder,
    get instance() {
      return instance;
    },
    startOptions,
    async start() {
      instance = await RunningInstance.start(startOptions(), token);
    },
  };
}
