import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, readPluginConfiguration } from '../../plugin-kit/index.ts';
import { configurationError } from '../../plugin-kit/testing/index.ts';
import { opentelemetrySchema } from './schema.ts';

test('the defaults are those of APISIX, on the route and in the metadata', () => {
  assert.deepEqual(readPluginConfiguration(opentelemetrySchema.schema, {}), {
    sampler: { name: 'always_off', options: { fraction: 0, root: { name: 'always_off', options: { fraction: 0 } } } },
  });
  assert.deepEqual(readPluginConfiguration(opentelemetrySchema.schema, { sampler: { options: { root: {} } } }), {
    sampler: { name: 'always_off', options: { fraction: 0, root: { name: 'always_off', options: { fraction: 0 } } } },
  });
  const { metadataSchema } = opentelemetrySchema;
  assert.ok(metadataSchema);
  assert.deepEqual(readPluginConfiguration(metadataSchema, {}), {
    trace_id_source: 'random',
    collector: { address: '127.0.0.1:4318', request_timeout: 3 },
    batch_span_processor: {},
    set_ngx_var: false,
  });
});

test('the limits of the configuration are those of APISIX', () => {
  const good: readonly JsonObject[] = [
    {},
    { sampler: {} },
    { sampler: { name: 'parent_base', options: { fraction: 2, root: { name: 'trace_id_ratio', options: { fraction: -1 } } } } },
    { additional_attributes: [], additional_header_prefix_attributes: ['*'] },
  ];
  for (const configuration of good) assert.equal(configurationError(opentelemetrySchema, configuration), '');
  const bad: readonly JsonObject[] = [
    { sampler: 'always_on' },
    { sampler: { name: 'sometimes' } },
    { sampler: { options: { fraction: '1' } } },
    { sampler: { options: { root: { name: 'parent_base' } } } },
    { sampler: { options: { root: { options: { fraction: 'x' } } } } },
    { additional_attributes: [''] },
    { additional_attributes: 'uri' },
    { additional_header_prefix_attributes: [1] },
  ];
  for (const configuration of bad) {
    assert.match(
      configurationError(opentelemetrySchema, configuration),
      /^Error at "\/plugins\/opentelemetry\//,
      JSON.stringify(configuration),
    );
  }
});

test('the metadata has limits too', () => {
  const { metadataSchema } = opentelemetrySchema;
  assert.ok(metadataSchema);
  const errorOf = (value: JsonObject): string => configurationError({ ...opentelemetrySchema, schema: metadataSchema }, value);
  assert.equal(
    errorOf({ trace_id_source: 'random', resource: { a: 1, b: true, c: 'x' }, batch_span_processor: { batch_timeout: 0.5 } }),
    '',
  );
  for (const value of [
    { trace_id_source: 'x' },
    { resource: { a: [] } },
    { collector: { address: 1 } },
    { collector: { request_timeout: 1.5 } },
    { collector: { request_headers: { a: {} } } },
    { batch_span_processor: { drop_on_queue_full: 1 } },
    { batch_span_processor: { max_queue_size: 1.5 } },
    { batch_span_processor: { batch_timeout: '5' } },
    { batch_span_processor: { inactive_timeout: '5' } },
    { batch_span_processor: { max_export_batch_size: '5' } },
    { set_ngx_var: 1 },
  ]) {
    assert.notEqual(errorOf(value), '', JSON.stringify(value));
  }
});
