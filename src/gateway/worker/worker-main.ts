import { parentPort, workerData } from 'node:worker_threads';
import { GatewayWorker } from './gateway-worker.ts';
import { warmUp } from './warm-up.ts';
import type { AgentMessage, WorkerMessage, WorkerStart } from './worker-messages.ts';

/** The entry of a worker thread. Both ends of its channel are the same build, so what arrives has the type that was sent. */
const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const start: WorkerStart = workerData;
const worker = new GatewayWorker(start, (message: WorkerMessage) => port.postMessage(message));
port.on('message', (message: AgentMessage) => worker.receive(message));
warmUp();
worker.run();
