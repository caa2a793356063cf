import { decodeFields } from './decode-protobuf.ts';

/** A span as a collector reads it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string | undefined;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startNanoseconds: bigint;
  readonly endNanoseconds: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message: string } | undefined;
}

export interface ReceivedExport {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: { readonly name: string; readonly version: string };
  readonly spans: readonly ReceivedSpan[];
}

/** A message with the fields of a schema: every field must be known and of the type it has there. */
class Message {
  readonly #values = new Map<number, (bigint | Buffer)[]>();

  constructor(bytes: Buffer, types: Readonly<Record<number, 0 | 1 | 2>>) {
    for (const { field, wireType, value } of decodeFields(bytes)) {
      if (types[field] !== wireType) throw new Error(`field ${field} has the wire type ${wireType}`);
      this.#values.set(field, [...(this.#values.get(field) ?? []), value]);
    }
  }

  all(field: number): readonly Buffer[] {
    return (this.#values.get(field) ?? []).filter((value) => Buffer.isBuffer(value));
  }

  bytes(field: number): Buffer | undefined {
    return this.all(field).at(-1);
  }

  text(field: number): string | undefined {
    return this.bytes(field)?.toString('utf8');
  }

  number(field: number): number | undefined {
    const value = this.#values.get(field)?.at(-1);
    return typeof value === 'bigint' ? Number(value) : undefined;
  }
}

/** Reads an `ExportTraceServiceRequest` by the field numbers of opentelemetry-proto 1.x. */
export function decodeExport(bytes: Buffer): ReceivedExport {
  const resourceSpans = only(new Message(bytes, { 1: 2 }).all(1));
  const inner = new Message(resourceSpans, { 1: 2, 2: 2, 3: 2 });
  const resource = new Message(only(inner.all(1)), { 1: 2, 2: 0 });
  const scopeSpans = new Message(only(inner.all(2)), { 1: 2, 2: 2, 3: 2 });
  const scope = new Message(only(scopeSpans.all(1)), { 1: 2, 2: 2, 3: 2, 4: 0 });
  return {
    resource: attributesOf(resource.all(1)),
    scope: { name: scope.text(1) ?? '', version: scope.text(2) ?? '' },
    spans: scopeSpans.all(2).map(decodeSpan),
  };
}

function decodeSpan(bytes: Buffer): ReceivedSpan {
  const span = new Message(bytes, { 1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 0, 7: 1, 8: 1, 9: 2, 10: 0, 11: 2, 12: 0, 13: 2, 14: 0, 15: 2 });
  const statusBytes = span.bytes(15);
  const status = statusBytes && new Message(statusBytes, { 2: 2, 3: 0 });
  return {
    traceId: span.bytes(1)?.toString('hex') ?? '',
    spanId: span.bytes(2)?.toString('hex') ?? '',
    traceState: span.text(3),
    parentSpanId: span.bytes(4)?.toString('hex'),
    name: span.text(5) ?? '',
    kind: span.number(6) ?? 0,
    startNanoseconds: span.bytes(7)?.readBigUInt64LE() ?? 0n,
    endNanoseconds: span.bytes(8)?.readBigUInt64LE() ?? 0n,
    attributes: attributesOf(span.all(9)),
    status: status && { code: status.number(3) ?? 0, message: status.text(2) ?? '' },
  };
}

function attributesOf(pairs: readonly Buffer[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    pairs.map((bytes) => {
      const pair = new Message(bytes, { 1: 2, 2: 2 });
      const value = new Message(only(pair.all(2)), { 1: 2, 2: 0, 3: 0, 4: 1, 5: 2, 6: 2, 7: 2 });
      const boolean = value.number(2);
      return [
        pair.text(1) ?? '',
        value.text(1) ?? (boolean === undefined ? undefined : boolean === 1) ?? value.number(3) ?? value.bytes(4)?.readDoubleLE(),
      ];
    }),
  );
}

function only(values: readonly Buffer[]): Buffer {
  const [first] = values;
  if (first === undefined || values.length !== 1) throw new Error(`one was expected, ${values.length} came`);
  return first;
}
