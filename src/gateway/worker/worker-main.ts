import { parentPort } from 'node:worker_threads';
import { chooseTransport } from '../../engine/index.ts';
import { keepCompiledCode } from '../../lib/keep-compiled-code.ts';
import type { AnyPlugin } from '../../plugin-kit/index.ts';
import { GatewayWorker } from './gateway-worker.ts';
import type { AgentMessage, WorkerMessage, WorkerStart } from './worker-messages.ts';

/** The entry of a worker thread. Both ends of its channel are the same build, so what arrives has the type that was sent. */
const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const started = Promise.withResolvers<WorkerStart>();
/** Those that came before there was a worker to receive them. */
const early: AgentMessage[] = [];
let receive = (message: AgentMessage): void => {
  if (message.kind === 'start') started.resolve(message.start);
  else early.push(message);
};
port.on('message', (message: AgentMessage) => receive(message));
const start = await started.promise;
const transport = await chooseTransport(start.engine.transport ?? 'auto');
const others: readonly AnyPlugin[] = start.testPluginModule === undefined ? [] : (await import(start.testPluginModule)).PLUGINS;
const worker = new GatewayWorker(start, transport, others, (message: WorkerMessage) => port.postMessage(message));
receive = (message) => worker.receive(message);
for (const message of early) worker.receive(message);
worker.run();
// Before it is given anything to serve.
keepCompiledCode();
