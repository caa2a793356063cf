import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../lib/json.ts';
import { formatIssues, type PluginSite, Type } from '../schema/index.ts';
import { checkRegexes, describeSecrets, type PluginSchema, textList, validatePlugins } from './index.ts';

const auth: PluginSchema = {
  name: 'an-auth',
  version: '1',
  priority: 10,
  type: 'auth',
  schema: Type.Object({ header: Type.Optional(Type.String({ default: 'h' })) }),
  consumerSchema: Type.Object({ key: Type.String({ minLength: 1 }) }),
  secretFields: ['key'],
  uniqueField: 'key',
  identityHeaders: [],
};
const limit: PluginSchema = {
  name: 'a-limit',
  version: '1',
  priority: 5,
  type: 'other',
  schema: Type.Object({ count: Type.Integer({ minimum: 1 }), password: Type.Optional(Type.String()) }),
  secretFields: ['password'],
  identityHeaders: [],
};
const SCHEMAS = [auth, limit];

const errorOf = (plugins: unknown, site: PluginSite) => formatIssues(validatePlugins(JSON.parse(JSON.stringify(plugins)), site, SCHEMAS));

test('each plugin is judged by the schema that holds where it stands', () => {
  assert.equal(errorOf({ 'an-auth': {}, 'a-limit': { count: 1 } }, 'route'), '');
  assert.equal(errorOf({ 'an-auth': { header: 1 } }, 'route'), 'Error at "/plugins/an-auth/header": value must be a string');
  assert.equal(errorOf({ 'an-auth': {} }, 'credential'), 'Error at "/plugins/an-auth/key": property "key" is missing');
  assert.equal(errorOf({ 'an-auth': { key: '' } }, 'consumer'), 'Error at "/plugins/an-auth/key": minimum string length is 1');
  assert.equal(errorOf({ 'a-limit': { count: 0 } }, 'consumer'), 'Error at "/plugins/a-limit/count": number must be at least 1');
});

test('fields that a plugin does not know are accepted', () => {
  assert.equal(errorOf({ 'an-auth': { colour: 'red' } }, 'service'), '');
});

test('an unknown plugin is refused by name, even when it is switched off', () => {
  assert.equal(errorOf({ xyz: {} }, 'route'), 'Error at "/plugins/xyz": unknown plugin [xyz]');
  assert.equal(errorOf({ xyz: { _meta: { disable: true } } }, 'route'), 'Error at "/plugins/xyz": unknown plugin [xyz]');
  for (const name of ['constructor', 'toString', '__proto__']) {
    const plugins = JSON.parse(`{"${name}":{}}`);
    assert.match(formatIssues(validatePlugins(plugins, 'route', SCHEMAS)), /unknown plugin/);
  }
});

test('a configuration that is no object is refused', () => {
  for (const configuration of [null, 'x', 1, true, []]) {
    assert.equal(errorOf({ 'an-auth': configuration }, 'route'), 'Error at "/plugins/an-auth": value must be an object');
  }
});

test('a credential takes only plugins that tell who somebody is', () => {
  const expected = 'Error at "/plugins/a-limit": only supports auth type plugins in consumer credential';
  assert.equal(errorOf({ 'a-limit': { count: 1 } }, 'credential'), expected);
});

test('a switched-off plugin is stored even if it is invalid, but its secret must be one that can be encrypted', () => {
  assert.equal(errorOf({ 'an-auth': { header: 1, _meta: { disable: true } } }, 'route'), '');
  assert.equal(errorOf({ 'an-auth': { _meta: { disable: true } } }, 'credential'), '');
  const nested = { 'an-auth': { key: { in: 'clear' }, _meta: { disable: true } } };
  assert.equal(errorOf(nested, 'credential'), 'Error at "/plugins/an-auth/key": value must be a string');
});

test('_meta has its own rules', () => {
  const withMeta = (meta: unknown) => errorOf({ 'an-auth': { _meta: meta } }, 'route');
  assert.equal(withMeta({ disable: false, priority: -1, filter: [], error_response: { message: 'no' } }), '');
  assert.equal(withMeta({ error_response: 'no' }), '');
  assert.equal(withMeta([]), 'Error at "/plugins/an-auth/_meta": value must be an object');
  assert.equal(withMeta({ disable: 'true' }), 'Error at "/plugins/an-auth/_meta/disable": value must be a boolean');
  assert.equal(withMeta({ priority: 1.5 }), 'Error at "/plugins/an-auth/_meta/priority": value must be an integer');
  assert.equal(withMeta({ pre_function: 'x' }), 'Error at "/plugins/an-auth/_meta/pre_function": property is unsupported');
  assert.match(withMeta({ error_response: 1 }), /^Error at "\/plugins\/an-auth\/_meta\/error_response": /);
  assert.equal(withMeta({ filter: [['arg_a', '==', '1']] }), '');
  assert.match(
    withMeta({ filter: ['nonsense'] }),
    /^Error at "\/plugins\/an-auth\/_meta\/filter": failed to validate the 'vars' expression: ./,
  );
  assert.equal(withMeta({ filter: 'x' }), 'Error at "/plugins/an-auth/_meta/filter": value must be an array');
});

test('a well-formed reference stands for any text, and a malformed one is refused', () => {
  for (const reference of ['$env://KEY', '$ENV://KEY/field', '$secret://vault/1/jack/key', '$secret://kubernetes/1/ns/jack/key']) {
    assert.equal(errorOf({ 'an-auth': { key: reference } }, 'credential'), '', reference);
  }
  for (const reference of [
    '$env://',
    '$env:///key',
    '$secret://vault/1/key',
    '$SECRET://vault/1/jack/key',
    '$secret://vault/1/a/../b/key',
  ]) {
    assert.match(
      errorOf({ 'an-auth': { key: reference } }, 'credential'),
      /^Error at "\/plugins\/an-auth\/key": a .*reference.* has the form /,
    );
  }
  assert.equal(errorOf({ 'an-auth': { key: 'my$env://KEY' } }, 'credential'), '');
});

test('rules for a text, of the schema and of the plugin’s own check, are not asked of a reference, and all others are', () => {
  const picky: PluginSchema = {
    ...auth,
    schema: Type.Object({
      mode: Type.Optional(Type.String({ minLength: 1, pattern: '^[a-z]$', default: 'a' })),
      limit: Type.Optional(Type.Integer()),
      list: Type.Optional(Type.Array(Type.String({ maxLength: 3 }), { minItems: 2 })),
    }),
    check: () => [
      { pointer: '/mode', message: 'bad mode' },
      { pointer: '', message: 'bad together' },
    ],
  };
  const errors = (configuration: JsonObject): string => formatIssues(validatePlugins({ 'an-auth': configuration }, 'route', [picky]));
  assert.equal(errors({ mode: '$env://MODE' }), 'Error at "/plugins/an-auth": bad together');
  assert.equal(
    errors({ mode: '$env://MODE', limit: '$env://LIMIT', list: ['$env://A'] }),
    'Error at "/plugins/an-auth/limit": value must be an integer; Error at "/plugins/an-auth/list": minimum number of items is 2',
  );
  assert.match(
    errors({ mode: '$env://MODE', list: ['$env://A', 'long'] }),
    /^Error at "\/plugins\/an-auth\/list\/1": maximum string length is 3$/,
  );
});

test('a configuration nested without end is refused and does not overflow the stack', () => {
  const deep = `${'{"a":'.repeat(200_000)}"$env://KEY"${'}'.repeat(200_000)}`;
  for (const configuration of [`{"key":"k","x":${deep}}`, `{"key":"k","_meta":${deep}}`]) {
    const issues = validatePlugins(JSON.parse(`{"an-auth":${configuration}}`), 'credential', SCHEMAS);
    assert.match(formatIssues(issues), /^Error at "\/plugins\/an-auth[^"]*": the document is nested more than 64 levels deep$/);
  }
});

test('a plugin’s own check sees the defaults, where the configuration stands and what other plugins there are', () => {
  const seen: unknown[] = [];
  const checked: PluginSchema = {
    ...auth,
    check: (configuration, context) => {
      seen.push([configuration, context.site, context.schemas.length]);
      return [{ pointer: '/header', message: 'not this one' }];
    },
  };
  const issues = validatePlugins({ 'an-auth': {} }, 'global_rule', [checked]);
  assert.equal(formatIssues(issues), 'Error at "/plugins/an-auth/header": not this one');
  assert.deepEqual(seen, [[{ header: 'h' }, 'global_rule', 1]]);
  validatePlugins({ 'an-auth': { header: 1 } }, 'route', [checked]);
  assert.equal(seen.length, 1, 'what the schema refuses is not looked at');
});

test('what is no object of plugins is left to the schema of the document', () => {
  for (const plugins of [undefined, null, 'x', []]) assert.deepEqual(validatePlugins(plugins, 'route', SCHEMAS), []);
});

test('secrets and unique values of credentials are named, on consumers and on credentials', () => {
  for (const site of ['consumer', 'credential'] as const) {
    assert.deepEqual(describeSecrets({ 'an-auth': { key: 'k' } }, site, SCHEMAS), {
      secretPointers: ['/plugins/an-auth/key'],
      uniqueValues: [{ plugin: 'an-auth', field: 'key', value: 'k' }],
    });
  }
});

test('a switched-off credential keeps its secret encrypted, and lets nobody in', () => {
  assert.deepEqual(describeSecrets({ 'an-auth': { key: 'k', _meta: { disable: true } } }, 'credential', SCHEMAS), {
    secretPointers: ['/plugins/an-auth/key'],
    uniqueValues: [],
  });
});

test('on routes and services a secret that stands there by mistake is secret too, but matches nobody', () => {
  const plugins = { 'an-auth': { key: 'no secret here' }, 'a-limit': { count: 1, password: 'p' } };
  assert.deepEqual(describeSecrets(plugins, 'route', SCHEMAS), {
    secretPointers: ['/plugins/an-auth/key', '/plugins/a-limit/password'],
    uniqueValues: [],
  });
  assert.deepEqual(describeSecrets({ 'a-limit': { password: 'p' } }, 'consumer', SCHEMAS).secretPointers, ['/plugins/a-limit/password']);
});

test('what is no text or stands in an unknown plugin is no secret', () => {
  const nothing = { secretPointers: [], uniqueValues: [] };
  for (const plugins of [
    undefined,
    null,
    [],
    {},
    { xyz: { key: 'k' } },
    { 'an-auth': null },
    { 'an-auth': { key: 1 } },
    { 'an-auth': {} },
  ]) {
    assert.deepEqual(describeSecrets(plugins, 'credential', SCHEMAS), nothing);
  }
});

test('all expressions of a document together are no more than a gateway can compile at once, and the next document has as many', () => {
  const searching: PluginSchema = {
    ...limit,
    name: 'searching',
    schema: Type.Object({ patterns: Type.Array(Type.String()) }),
    secretFields: [],
    check: ({ patterns }) => checkRegexes(textList(patterns), '/patterns'),
  };
  const issuesOf = (...counts: readonly number[]) => {
    const schemas = counts.map((_, index) => ({ ...searching, name: `searching-${index}` }));
    const plugins = counts.map((count, index): [string, JsonObject] => [
      `searching-${index}`,
      { patterns: Array.from({ length: count }, (_, number) => `${number}`.padStart(20, '0')) },
    ]);
    return validatePlugins(Object.fromEntries(plugins), 'route', schemas);
  };
  assert.deepEqual(issuesOf(600, 400), []);
  assert.deepEqual(issuesOf(600, 400), []);
  const [first, ...others] = issuesOf(600, 401);
  assert.equal(first?.pointer, '/plugins/searching-1/patterns/400');
  assert.match(first?.message ?? '', /^the regular expressions take too long to compile/);
  assert.deepEqual(others, []);
  const filtered = { 'a-limit': { count: 1, _meta: { filter: Array.from({ length: 1200 }, (_, number) => ['uri', '~~', `${number}a`]) } } };
  assert.match(errorOf(filtered, 'route'), /_meta\/filter.*too long to compile/);
});
