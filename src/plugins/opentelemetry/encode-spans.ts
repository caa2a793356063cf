import { ProtobufWriter } from './protobuf-writer.ts';
import type { PlainValue } from './schema.ts';

/** An attribute; whole numbers of a `count` are written as integers, other numbers as doubles. */
export type Attribute =
  | { readonly kind: 'plain'; readonly key: string; readonly value: PlainValue }
  | { readonly kind: 'count'; readonly key: string; readonly value: number };

/** A request as a span of the kind server. Ids are hexadecimal. */
export interface ServerSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: readonly Attribute[];
  /** Undefined for a request that did not fail. */
  readonly errorMessage: string | undefined;
}

const KIND_SERVER = 2;
const STATUS_ERROR = 2;
/** Field of a span among those of its scope. */
const SPANS = 2;

/** One span, ready to be put among others by `encodeExport`. Field numbers: opentelemetry-proto, `trace/v1/trace.proto`. */
export function encodeSpan(span: ServerSpan): Buffer {
  return new ProtobufWriter()
    .message(SPANS, (writer) => {
      writer.bytes(1, Buffer.from(span.traceId, 'hex')).bytes(2, Buffer.from(span.spanId, 'hex'));
      if (span.traceState !== '') writer.string(3, span.traceState);
      if (span.parentSpanId !== undefined) writer.bytes(4, Buffer.from(span.parentSpanId, 'hex'));
      writer.string(5, span.name).integer(6, KIND_SERVER);
      writer.fixed64(7, nanoseconds(span.startMs)).fixed64(8, nanoseconds(span.endMs));
      for (const attribute of span.attributes) appendAttribute(writer, 9, attribute);
      const { errorMessage } = span;
      if (errorMessage !== undefined) writer.message(15, (status) => status.string(2, errorMessage).integer(3, STATUS_ERROR));
    })
    .toBuffer();
}

/** Who sends spans. */
export interface SpanSource {
  readonly resource: readonly Attribute[];
  readonly scopeName: string;
  readonly scopeVersion: string;
}

/** An `ExportTraceServiceRequest` (opentelemetry-proto, `collector/trace/v1`) with these encoded spans. */
export function encodeExport(source: SpanSource, spans: readonly Buffer[]): Buffer {
  return new ProtobufWriter()
    .message(1, (resourceSpans) => {
      resourceSpans.message(1, (resource) => {
        for (const attribute of source.resource) appendAttribute(resource, 1, attribute);
      });
      resourceSpans.message(2, (scopeSpans) => {
        scopeSpans.message(1, (scope) => scope.string(1, source.scopeName).string(2, source.scopeVersion));
        for (const span of spans) scopeSpans.encoded(span);
      });
    })
    .toBuffer();
}

/** `KeyValue` of `common/v1/common.proto`. */
function appendAttribute(writer: ProtobufWriter, field: number, attribute: Attribute): void {
  writer.message(field, (pair) => {
    pair.string(1, attribute.key).message(2, (any) => appendValue(any, attribute));
  });
}

function appendValue(any: ProtobufWriter, { kind, value }: Attribute): void {
  if (kind === 'count') any.integer(3, value);
  else if (typeof value === 'string') any.string(1, value);
  else if (typeof value === 'boolean') any.boolean(2, value);
  else any.double(4, value);
}

/** To the microsecond: a double holds no more of a time of day. */
function nanoseconds(timeMs: number): bigint {
  return BigInt(Math.max(0, Math.round(timeMs * 1000))) * 1000n;
}
