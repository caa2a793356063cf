import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../lib/json.ts';
import { describeSecrets, Type } from './index.ts';
import { readPlugin } from './read-plugin.ts';
import { checkPluginConfiguration, readPluginConfiguration } from './read-plugin-configuration.ts';
import { forEachSecretReference, hasSecretReferences, resolveSecretReferences } from './secret-references.ts';

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;

test('a configuration without references is given back as it is', () => {
  fc.assert(
    fc.property(json, (value) => {
      assert.equal(
        resolveSecretReferences(value, () => 'x'),
        value,
      );
      assert.equal(hasSecretReferences(value), false);
    }),
  );
});

test('every reference is found and replaced, wherever it stands, and nothing else is', () => {
  const holder = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<JsonValue>('$env://A', '$secret://vault/1/s/b', 'text', 1, null, true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b/c', '~d'), tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  fc.assert(
    fc.property(holder, (value) => {
      const text = JSON.stringify(value);
      const expected = text.replaceAll('"$env://A"', '"<A>"').replaceAll('"$secret://vault/1/s/b"', '"<B>"');
      const resolved = resolveSecretReferences(value, (reference) => (reference === '$env://A' ? '<A>' : '<B>'));
      assert.equal(JSON.stringify(resolved), expected);
      let found = 0;
      forEachSecretReference(value, () => {
        found += 1;
      });
      assert.equal(found, (text.match(/"\$(env|secret):/g) ?? []).length);
      assert.equal(hasSecretReferences(value), found > 0);
    }),
  );
});

test('what is not known stays as it was written', () => {
  const configuration = { a: '$env://A', b: ['$env://B'], _meta: { error_response: '$env://C' } };
  assert.deepEqual(
    resolveSecretReferences(configuration, (reference) => (reference === '$env://A' ? 'a' : undefined)),
    { ...configuration, a: 'a' },
  );
  assert.equal(hasSecretReferences({ _meta: { error_response: '$env://A' } }), true);
});

test('conditions, alternatives and defaults of a schema hold beside references', () => {
  const schema = Type.Object(
    {
      policy: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['local', 'redis'], default: 'local' })),
      host: Type.Optional(Type.String({ pattern: '^[a-z.]+$' })),
      list: Type.Optional(Type.Array(Type.Unsafe<string>({ anyOf: [{ type: 'string', minLength: 30 }, { type: 'number' }] }))),
    },
    {
      if: { properties: { policy: { enum: ['redis'] } }, required: ['policy'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['host'] },
      oneOf: [{ required: ['host'] }, { required: ['list'] }],
    },
  );
  const errors = (configuration: Record<string, JsonValue>) =>
    checkPluginConfiguration(schema, configuration).map(({ pointer }) => pointer);
  assert.deepEqual(errors({ policy: 'redis', host: '$env://HOST' }), []);
  assert.deepEqual(errors({ policy: 'redis', list: ['$env://ITEM'] }), ['/host']);
  assert.deepEqual(errors({ host: '$env://HOST', list: ['$env://ITEM'] }), ['']);
  assert.deepEqual(errors({ policy: '$env://POLICY', list: ['$env://ITEM', 1] }), []);
  assert.deepEqual(errors({ policy: 'other', host: '$env://HOST' }), ['/policy']);
  assert.deepEqual(readPluginConfiguration(schema, { host: '$env://HOST' }), { policy: 'local', host: '$env://HOST' });
});

test('a gateway reads a configuration with references, whatever the plugin’s check says of their text', () => {
  const schema = {
    name: 'p',
    schema: Type.Object({ a: Type.String({ minLength: 20 }), b: Type.Optional(Type.Integer({ default: 3 })) }),
    check: () => [{ pointer: '/a', message: 'no' }],
  };
  const read = readPlugin(schema, { a: '$env://A' });
  assert.deepEqual(read.kind === 'ready' && read.configuration, { a: '$env://A', b: 3 });
  assert.equal(readPlugin(schema, { a: 'x'.repeat(20) }).kind, 'invalid');
});

test('a reference is neither encrypted nor unique', () => {
  const schema = {
    name: 'an-auth',
    version: '1',
    priority: 1,
    type: 'auth',
    schema: Type.Object({}),
    consumerSchema: Type.Object({ key: Type.String() }),
    secretFields: ['key'],
    uniqueField: 'key',
    identityHeaders: [],
  } as const;
  const described = (key: string) => describeSecrets({ 'an-auth': { key } }, 'credential', [schema]);
  assert.deepEqual(described('$ENV://KEY'), { secretPointers: [], uniqueValues: [] });
  assert.deepEqual(described('k').secretPointers, ['/plugins/an-auth/key']);
});
