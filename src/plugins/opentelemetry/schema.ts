import { type PluginSchema, Type } from '../../plugin-kit/index.ts';

export type RootSamplerName = 'always_on' | 'always_off' | 'trace_id_ratio';
export type SamplerName = RootSamplerName | 'parent_base';

/** How a request without a parent is sampled by `parent_base`. */
export interface RootSamplerConfiguration {
  readonly name: RootSamplerName;
  readonly options: { readonly fraction: number };
}

export interface SamplerConfiguration {
  readonly name: SamplerName;
  readonly options: { readonly fraction: number; readonly root: RootSamplerConfiguration };
}

/** The configuration on a route or service, defaults in place. */
export interface OpentelemetryConfiguration {
  readonly sampler: SamplerConfiguration;
  readonly additional_attributes?: readonly string[];
  readonly additional_header_prefix_attributes?: readonly string[];
}

/** A value of a resource or of a header of the exporter. */
export type PlainValue = boolean | number | string;

/** The metadata, defaults in place; times are seconds. */
export interface OpentelemetryMetadata {
  readonly trace_id_source: 'x-request-id' | 'random';
  readonly resource?: Readonly<Record<string, PlainValue>>;
  readonly collector: {
    readonly address: string;
    readonly request_timeout: number;
    readonly request_headers?: Readonly<Record<string, PlainValue>>;
  };
  readonly batch_span_processor: {
    readonly drop_on_queue_full?: boolean;
    readonly max_queue_size?: number;
    readonly batch_timeout?: number;
    readonly inactive_timeout?: number;
    readonly max_export_batch_size?: number;
  };
  readonly set_ngx_var: boolean;
}

const NO_FRACTION = { fraction: 0 } as const;
const DEFAULT_ROOT = { name: 'always_off', options: NO_FRACTION } as const;
const DEFAULT_OPTIONS = { fraction: 0, root: DEFAULT_ROOT } as const;

function nameField<Name extends string>(names: readonly Name[], description: string) {
  return Type.Optional(Type.Unsafe<Name>({ type: 'string', enum: names, default: 'always_off', description }));
}

function fractionField(description: string) {
  return Type.Optional(Type.Number({ default: 0, description }));
}

function namesField(description: string) {
  return Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description }));
}

const rootField = Type.Object(
  {
    name: nameField(['always_on', 'always_off', 'trace_id_ratio'], 'Sampler of requests without a parent'),
    options: Type.Optional(
      Type.Object({ fraction: fractionField('Share of traces, from 0 to 1, for trace_id_ratio') }, { default: NO_FRACTION }),
    ),
  },
  { default: DEFAULT_ROOT },
);

const samplerField = Type.Object(
  {
    name: nameField(['always_on', 'always_off', 'trace_id_ratio', 'parent_base'], 'Which requests are traced'),
    options: Type.Optional(
      Type.Object(
        { fraction: fractionField('Share of traces, from 0 to 1, for trace_id_ratio'), root: Type.Optional(rootField) },
        { default: DEFAULT_OPTIONS },
      ),
    ),
  },
  { default: { name: 'always_off', options: DEFAULT_OPTIONS }, description: 'Decides which requests are traced' },
);

function plainValuesField(description: string) {
  const values = { anyOf: [{ type: 'boolean' }, { type: 'number' }, { type: 'string' }] };
  return Type.Optional(Type.Unsafe<Readonly<Record<string, PlainValue>>>({ type: 'object', additionalProperties: values, description }));
}

const DEFAULT_COLLECTOR = { address: '127.0.0.1:4318', request_timeout: 3 } as const;

const collectorField = Type.Object(
  {
    address: Type.Optional(
      Type.String({
        default: DEFAULT_COLLECTOR.address,
        description: 'host:port of the collector, or its URL; spans go to /v1/traces there',
      }),
    ),
    request_timeout: Type.Optional(
      Type.Integer({ default: DEFAULT_COLLECTOR.request_timeout, description: 'Seconds that sending a batch may take' }),
    ),
    request_headers: plainValuesField('Headers of every request to the collector'),
  },
  { default: DEFAULT_COLLECTOR, description: 'Where spans are sent' },
);

const batchField = Type.Object(
  {
    drop_on_queue_full: Type.Optional(
      Type.Boolean({ description: 'true: a span is lost when the queue is full; false: the oldest batch that waits is lost instead' }),
    ),
    max_queue_size: Type.Optional(Type.Integer({ description: 'Spans that may wait or be under way, in each worker; 2048 unless said' })),
    batch_timeout: Type.Optional(Type.Number({ description: 'Seconds after its first span at which a batch is sent; 5 unless said' })),
    inactive_timeout: Type.Optional(Type.Number({ description: 'Seconds without a new span after which a batch is sent; 2 unless said' })),
    max_export_batch_size: Type.Optional(Type.Integer({ description: 'Spans of a batch at most; 256 unless said' })),
  },
  { default: {}, description: 'How spans are gathered' },
);

/** What can be configured of opentelemetry: fields, limits and defaults of APISIX's plugin. */
export const opentelemetrySchema: PluginSchema = {
  name: 'opentelemetry',
  version: '0.1',
  priority: 12_009,
  type: 'other',
  schema: Type.Object({
    sampler: Type.Optional(samplerField),
    additional_attributes: namesField('Variables that become attributes of the span'),
    additional_header_prefix_attributes: namesField('Request headers that become attributes; a trailing * stands for any ending'),
  }),
  metadataSchema: Type.Object({
    trace_id_source: Type.Optional(
      Type.Unsafe<'x-request-id' | 'random'>({
        type: 'string',
        enum: ['x-request-id', 'random'],
        default: 'random',
        description: 'x-request-id: the id of the request is that of its trace, where it has 32 hexadecimal digits',
      }),
    ),
    resource: plainValuesField('Attributes of the gateway; service.name is APISIX unless it is among them'),
    collector: Type.Optional(collectorField),
    batch_span_processor: Type.Optional(batchField),
    set_ngx_var: Type.Optional(Type.Boolean({ default: false, description: 'Give the ids to variables, for logs' })),
  }),
  metadataSecrets: ['/collector/request_headers/*'],
  secretFields: [],
  identityHeaders: [],
};
