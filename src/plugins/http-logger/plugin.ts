import {
  BatchRegistry,
  type BatchTarget,
  definePlugin,
  type HeldBatches,
  LogEntryBuilder,
  type OutgoingCalls,
  type PluginSetup,
} from '../../plugin-kit/index.ts';
import { type HttpLoggerConfiguration, httpLoggerSchema } from './schema.ts';

interface HttpLoggerState {
  readonly entries: LogEntryBuilder;
  readonly batches: HeldBatches<string>;
  readonly maxPending: number;
}

const DEFAULT_MAX_PENDING = 8192;
const MS_PER_SECOND = 1000;

const registry = new BatchRegistry<string>(httpLoggerSchema.name);

/** Sends an entry of every finished request to an HTTP server, in batches. Behaviour is that of APISIX's http-logger. */
export const httpLogger = definePlugin<HttpLoggerConfiguration, HttpLoggerState>({
  ...httpLoggerSchema,
  create: (configuration, setup) => ({
    entries: new LogEntryBuilder(configuration, setup, { unmatchedRouteId: 'no-matched' }),
    batches: registry.hold(setup, setup.configurationHash, () => targetOf(configuration, setup)),
    maxPending: maxPendingOf(setup),
  }),
  dispose: ({ batches }) => batches.release(),
  phases: {
    access: (request, { entries }) => entries.access(request),
    bodyFilter: (request, response, { entries }) => entries.bodyFilter(request, response),
    log: (request, { entries, batches, maxPending }) => {
      entries.build(request, (entry) => batches.add(entry, entry.length, maxPending));
    },
  },
});

function maxPendingOf({ metadata }: PluginSetup): number {
  const configured = metadata?.max_pending_entries;
  return typeof configured === 'number' ? configured : DEFAULT_MAX_PENDING;
}

function targetOf(configuration: HttpLoggerConfiguration, { calls }: PluginSetup): BatchTarget<string> {
  return {
    name: configuration.name,
    settings: {
      maxEntries: configuration.batch_max_size,
      inactiveTimeoutMs: configuration.inactive_timeout * MS_PER_SECOND,
      bufferDurationMs: configuration.buffer_duration * MS_PER_SECOND,
      maxRetries: configuration.max_retry_count,
      retryDelayMs: configuration.retry_delay * MS_PER_SECOND,
    },
    send: (entries) => sendEntries(configuration, calls, entries),
  };
}

async function sendEntries(configuration: HttpLoggerConfiguration, calls: OutgoingCalls, entries: readonly string[]): Promise<void> {
  const isJson = configuration.concat_method === 'json';
  const { status } = await calls.send({
    method: 'POST',
    url: configuration.uri,
    headers: {
      'Content-Type': isJson ? 'application/json' : 'text/plain',
      ...(configuration.auth_header === undefined ? {} : { Authorization: configuration.auth_header }),
    },
    body: isJson ? jsonOf(entries, configuration.batch_max_size) : entries.join('\n'),
    timeoutMs: configuration.timeout * MS_PER_SECOND,
    verifyTls: configuration.ssl_verify,
  });
  if (status >= 400) throw new Error(`the log server answered ${status}`);
}

/** With batches of one there is no array around the entry. */
function jsonOf(entries: readonly string[], batchMaxSize: number): string {
  return batchMaxSize === 1 ? entries.join() : `[${entries.join(',')}]`;
}
