import type { BatchTarget, PluginSetup } from '../../plugin-kit/index.ts';
import { type Attribute, encodeExport, type SpanSource } from './encode-spans.ts';
import type { OpentelemetryMetadata } from './schema.ts';

/** The defaults of opentelemetry-lua's batch span processor; times in seconds. */
const DEFAULT_QUEUE_SIZE = 2048;
const DEFAULT_BATCH_TIMEOUT = 5;
const DEFAULT_INACTIVE_TIMEOUT = 2;
const DEFAULT_BATCH_SIZE = 256;
/** A collector that restarts loses nothing. */
const RETRIES = 2;
const RETRY_DELAY_MS = 1000;
const MS_PER_SECOND = 1000;
const SHORTEST_TIMER_MS = 10;

/** How many spans may wait or be under way. */
export function queueSizeOf({ batch_span_processor: { max_queue_size = DEFAULT_QUEUE_SIZE } }: OpentelemetryMetadata): number {
  return Math.max(1, max_queue_size);
}

/** Where batches of encoded spans go, and when: OTLP over HTTP (opentelemetry.io, "OTLP Specification"). */
export function exportTarget(metadata: OpentelemetryMetadata, setup: PluginSetup): BatchTarget<Buffer> {
  const { batch_timeout, inactive_timeout, max_export_batch_size = DEFAULT_BATCH_SIZE } = metadata.batch_span_processor;
  const source = sourceOf(metadata, setup);
  return {
    name: 'opentelemetry',
    settings: {
      maxEntries: Math.max(1, max_export_batch_size),
      inactiveTimeoutMs: timerMs(inactive_timeout ?? DEFAULT_INACTIVE_TIMEOUT),
      bufferDurationMs: timerMs(batch_timeout ?? DEFAULT_BATCH_TIMEOUT),
      maxRetries: RETRIES,
      retryDelayMs: RETRY_DELAY_MS,
    },
    send: (spans) => sendSpans(metadata, setup, encodeExport(source, spans)),
  };
}

async function sendSpans({ collector }: OpentelemetryMetadata, { calls }: PluginSetup, body: Buffer): Promise<void> {
  const headers = Object.entries(collector.request_headers ?? {}).map(([name, value]) => [name, String(value)]);
  const { status } = await calls.send({
    method: 'POST',
    url: collectorUrl(collector.address),
    headers: { ...Object.fromEntries(headers), 'Content-Type': 'application/x-protobuf' },
    body,
    timeoutMs: timerMs(collector.request_timeout),
    verifyTls: true,
  });
  if (status < 200 || status >= 300) throw new Error(`the collector answered ${status}`);
}

function collectorUrl(address: string): string {
  const base = /^https?:\/\//.test(address) ? address : `http://${address}`;
  return `${base.replace(/\/$/, '')}/v1/traces`;
}

/** The gateway as a resource: its host name, and what is configured, named `APISIX` where that names no service. */
function sourceOf({ resource }: OpentelemetryMetadata, { hostName, version }: PluginSetup): SpanSource {
  const attributes: Attribute[] = [{ kind: 'plain', key: 'hostname', value: hostName }];
  if (resource !== undefined && !Object.hasOwn(resource, 'service.name')) {
    attributes.push({ kind: 'plain', key: 'service.name', value: 'APISIX' });
  }
  for (const [key, value] of Object.entries(resource ?? {})) attributes.push({ kind: 'plain', key, value });
  return { resource: attributes, scopeName: 'portcullis', scopeVersion: version };
}

function timerMs(seconds: number): number {
  return Math.max(SHORTEST_TIMER_MS, seconds * MS_PER_SECOND);
}
