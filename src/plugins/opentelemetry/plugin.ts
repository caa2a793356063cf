import type { Random } from '../../lib/random.ts';
import {
  BatchRegistry,
  definePlugin,
  type HeldBatches,
  type LogView,
  type PluginSetup,
  type RequestSlot,
  type RequestView,
  requestSlot,
} from '../../plugin-kit/index.ts';
import { encodeSpan } from './encode-spans.ts';
import { exportTarget, queueSizeOf } from './export-target.ts';
import { createSampler, type Sampler } from './samplers.ts';
import { type OpentelemetryConfiguration, type OpentelemetryMetadata, opentelemetrySchema } from './schema.ts';
import { type AdditionalAttributes, spanAttributes } from './span-attributes.ts';
import { formatTraceparent, isTraceId, type ParentContext, readParentContext } from './trace-context.ts';

/** A span that is recorded: what of it is known when the request begins. */
interface OpenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: ParentContext | undefined;
}

interface Tracer {
  readonly sampler: Sampler;
  readonly additional: AdditionalAttributes;
  readonly idFromRequest: boolean;
  readonly setsVariables: boolean;
  readonly random: Random;
  readonly spans: HeldBatches<Buffer>;
  readonly maxWaiting: number;
  readonly dropsNewest: boolean;
  /** One for each configuration: a global rule and a route may trace the same request. */
  readonly slot: RequestSlot<OpenSpan>;
}

const SPAN_ID_BYTES = 8;
const TRACE_ID_BYTES = 16;

const registry = new BatchRegistry<Buffer>(opentelemetrySchema.name);

/** Traces requests: continues the trace that a request names, tells the upstream, and sends spans to a collector. APISIX's opentelemetry. */
export const opentelemetry = definePlugin<OpentelemetryConfiguration, Tracer | undefined>({
  ...opentelemetrySchema,
  create: createTracer,
  dispose: (tracer) => tracer?.spans.release(),
  phases: {
    rewrite: (request, tracer) => {
      if (tracer !== undefined) beginSpan(request, tracer);
      return undefined;
    },
    log: (request, tracer) => {
      if (tracer !== undefined) endSpan(request, tracer);
    },
  },
});

/** Undefined without metadata: there is no collector to send anything to. */
function createTracer(configuration: OpentelemetryConfiguration, setup: PluginSetup): Tracer | undefined {
  if (setup.metadata === undefined) {
    setup.log.warn('opentelemetry does nothing without its plugin metadata');
    return undefined;
  }
  // The parsing border: the metadata's schema has vouched for the shape.
  const metadata = setup.metadata as unknown as OpentelemetryMetadata;
  return {
    sampler: createSampler(configuration.sampler),
    additional: {
      variables: configuration.additional_attributes ?? [],
      headers: configuration.additional_header_prefix_attributes ?? [],
    },
    idFromRequest: metadata.trace_id_source === 'x-request-id',
    setsVariables: metadata.set_ngx_var,
    random: setup.random,
    // What the spans are sent with stands in the metadata alone, so all routes fill the same batches.
    spans: registry.hold(setup, JSON.stringify(metadata), () => exportTarget(metadata, setup)),
    maxWaiting: queueSizeOf(metadata),
    dropsNewest: metadata.batch_span_processor.drop_on_queue_full !== false,
    slot: requestSlot('opentelemetry'),
  };
}

/** The upstream is told of the trace whether it is sampled or not. */
function beginSpan(request: RequestView, tracer: Tracer): void {
  const parent = readParentContext(request);
  const traceId = parent?.traceId ?? newTraceId(request, tracer);
  const spanId = randomId(tracer.random, SPAN_ID_BYTES);
  const sampled = tracer.sampler(traceId, parent);
  const traceparent = formatTraceparent(traceId, spanId, sampled);
  request.setHeader('traceparent', traceparent);
  // The state belongs to the trace of which nothing could be read (W3C Trace Context §4.3).
  if (parent === undefined && request.header('tracestate') !== undefined) request.removeHeader('tracestate');
  if (tracer.setsVariables) {
    request.setVariable('opentelemetry_context_traceparent', traceparent);
    request.setVariable('opentelemetry_trace_id', traceId);
    request.setVariable('opentelemetry_span_id', spanId);
  }
  if (sampled) request.set(tracer.slot, { traceId, spanId, parent });
}

function endSpan(request: LogView, tracer: Tracer): void {
  const span = request.get(tracer.slot);
  if (span === undefined) return;
  const { method, route, status, startedAtMs } = request;
  const encoded = encodeSpan({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parent?.spanId,
    traceState: span.parent?.traceState ?? '',
    name: route === undefined ? method : `${method} ${route.pattern}`,
    startMs: startedAtMs,
    endMs: startedAtMs + Math.max(0, request.finishedAtMs - request.headReadAtMs),
    attributes: spanAttributes(request, tracer.additional),
    errorMessage: status >= 500 ? `${request.responseSource} error: ${status}` : undefined,
  });
  if (tracer.dropsNewest) tracer.spans.add(encoded, encoded.length, tracer.maxWaiting);
  else tracer.spans.addOverOldest(encoded, encoded.length, tracer.maxWaiting);
}

function newTraceId(request: RequestView, { idFromRequest, random }: Tracer): string {
  if (idFromRequest) {
    const given = request.header('x-request-id') ?? request.variable('apisix_request_id');
    const id = typeof given === 'string' ? given.toLowerCase() : '';
    if (isTraceId(id)) return id;
  }
  return randomId(random, TRACE_ID_BYTES);
}

function randomId(random: Random, length: number): string {
  const id = random.bytes(length).toString('hex');
  // An id must not be all zeros (W3C Trace Context §3.2.2).
  return /^0+$/.test(id) ? id.replace(/0$/, '1') : id;
}
