import type { Logger } from '../../observability/index.ts';
import type { WorkerMessage } from '../worker/worker-messages.ts';

/** Writes what a worker has to say into the event log, with the worker's number. */
export function relayLog(log: Logger, line: Extract<WorkerMessage, { kind: 'log' }>, worker: number | undefined): void {
  const fields = { ...line.fields, worker };
  if (line.level === 'error') log.error(line.message, fields, line.error);
  else log[line.level](line.message, fields);
}
