import { parentPort, workerData } from 'node:worker_threads';
import { chooseTransport } from '../../engine/index.ts';
import { keepCompiledCode } from '../../lib/keep-compiled-code.ts';
import type { AnyPlugin } from '../../plugin-kit/index.ts';
import { GatewayWorker } from './gateway-worker.ts';
import type { AgentMessage, WorkerMessage, WorkerStart } from './worker-messages.ts';

/** The entry of a worker thread. Both ends of its channel are the same build, so what arrives has the type that was sent. */
const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const start: WorkerStart = workerData;
// Messages wait until there is somebody to receive them.
const transport = await chooseTransport(start.engine.transport ?? 'auto');
const others: readonly AnyPlugin[] = start.testPluginModule === undefined ? [] : (await import(start.testPluginModule)).PLUGINS;
const worker = new GatewayWorker(start, transport, others, (message: WorkerMessage) => port.postMessage(message));
port.on('message', (message: AgentMessage) => worker.receive(message));
worker.run();
// Before it is given anything to serve.
keepCompiledCode();
