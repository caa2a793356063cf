import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  type HeaderLines,
  readExamples,
  runHeaderFilter,
  runPhaseAtOnce,
  TestRequest,
  TestResponse,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { cors } from './plugin.ts';
import { corsSchema } from './schema.ts';

const ORIGIN = 'https://shop.example.com';

/** The headers of an answer without any of its own, to a GET with these headers. */
function headersFor(configuration: JsonObject, headers: HeaderLines, metadata?: JsonObject): Readonly<Record<string, string>> {
  const setup = testSetup(metadata === undefined ? {} : { metadata });
  const instance = createPlugin(cors, configuration, setup);
  const request = new TestRequest({ headers });
  assert.equal(runPhaseAtOnce(instance, 'rewrite', request), undefined);
  return Object.fromEntries(runHeaderFilter(instance, request).headers);
}

const allowedFor = (configuration: JsonObject, origin?: string, metadata?: JsonObject): string | undefined =>
  headersFor(configuration, origin === undefined ? [] : [['Origin', origin]], metadata)['Access-Control-Allow-Origin'];

test('every OPTIONS is answered with an empty 200, whatever it asks for', () => {
  const instance = createPlugin(cors, { allow_origins: 'https://a.com' });
  for (const headers of [[], [['Origin', 'https://evil.com']], [['Access-Control-Request-Method', 'PUT']]] as HeaderLines[]) {
    const answer = runPhaseAtOnce(instance, 'rewrite', new TestRequest({ method: 'OPTIONS', headers }));
    assert.deepEqual([answer?.status, answer?.body, answer?.reason], [200, '', undefined]);
  }
  for (const method of ['GET', 'HEAD', 'POST', 'options']) {
    assert.equal(runPhaseAtOnce(instance, 'rewrite', new TestRequest({ method })), undefined);
  }
});

test('with everything at its default every page may read, and no cache is told to keep origins apart', () => {
  const expected = {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': '*',
    'Access-Control-Max-Age': '5',
    'Access-Control-Allow-Headers': '*',
  };
  assert.deepEqual(headersFor({}, []), expected);
  assert.deepEqual(headersFor({}, [['Origin', ORIGIN]]), expected);
});

test('what Access-Control-Allow-Origin says depends on the origins that are allowed and on the one that asks', () => {
  const rows: readonly (readonly [JsonObject, string | undefined, string | undefined])[] = [
    [{ allow_origins: '*' }, ORIGIN, '*'],
    [{ allow_origins: '*' }, undefined, '*'],
    [{ allow_origins: '**' }, ORIGIN, ORIGIN],
    [{ allow_origins: '**' }, 'null', 'null'],
    [{ allow_origins: '**' }, undefined, '*'],
    [{ allow_origins: ORIGIN }, ORIGIN, ORIGIN],
    [{ allow_origins: ORIGIN }, 'https://shop.example.com.evil.com', undefined],
    [{ allow_origins: ORIGIN }, ORIGIN.toUpperCase(), undefined],
    [{ allow_origins: ORIGIN }, undefined, undefined],
    [{ allow_origins: 'null' }, 'null', 'null'],
    [{ allow_origins: 'null' }, ORIGIN, undefined],
    [{ allow_origins: `http://a.com,${ORIGIN}` }, ORIGIN, ORIGIN],
    [{ allow_origins: `http://a.com,${ORIGIN}` }, 'http://b.com', undefined],
    [{ allow_origins: `http://a.com,${ORIGIN}` }, `http://a.com,${ORIGIN}`, undefined],
    [{ allow_origins: `http://a.com,${ORIGIN}` }, undefined, undefined],
    [{ allow_origins_by_regex: ['.*\\.example\\.com$', '^http://b'] }, ORIGIN, ORIGIN],
    [{ allow_origins_by_regex: ['.*\\.example\\.com$', '^http://b'] }, 'http://b.org', 'http://b.org'],
    [{ allow_origins_by_regex: ['.*\\.example\\.com$'] }, 'http://b.org', undefined],
    [{ allow_origins_by_regex: ['.*\\.example\\.com$'] }, undefined, undefined],
    [{ allow_origins_by_regex: ['^http://b'], allow_origins: ORIGIN }, ORIGIN, undefined],
  ];
  for (const [configuration, origin, allowed] of rows) {
    assert.equal(allowedFor(configuration, origin), allowed, JSON.stringify([configuration, origin]));
  }
});

test('an origin that is not allowed gets none of the headers, and keeps those of the upstream', () => {
  assert.deepEqual(headersFor({ allow_origins: ORIGIN, allow_credential: false }, [['Origin', 'https://evil.com']]), { Vary: 'Origin' });
  const instance = createPlugin(cors, { allow_origins: ORIGIN });
  const response = new TestResponse({ headers: [['Access-Control-Allow-Origin', 'https://evil.com']] });
  runHeaderFilter(instance, new TestRequest({ headers: [['Origin', 'https://evil.com']] }), response);
  assert.equal(response.header('access-control-allow-origin'), 'https://evil.com');
});

test('the headers replace those of the upstream, on answers of every status and source', () => {
  const instance = createPlugin(cors, {});
  for (const source of ['upstream', 'gateway'] as const) {
    const response = new TestResponse({
      status: 401,
      source,
      headers: [
        ['access-control-allow-origin', 'x'],
        ['Access-Control-Allow-Methods', 'y'],
      ],
    });
    runHeaderFilter(instance, new TestRequest(), response);
    assert.deepEqual(response.headerValues('access-control-allow-origin'), ['*']);
    assert.deepEqual(response.headerValues('access-control-allow-methods'), ['*']);
  }
});

test('Vary: Origin is added to every answer whenever allow_origins is not *', () => {
  for (const allow_origins of ['**', 'null', ORIGIN]) {
    assert.equal(headersFor({ allow_origins }, []).Vary, 'Origin');
    assert.equal(headersFor({ allow_origins }, [['Origin', ORIGIN]]).Vary, 'Origin');
  }
  assert.equal(headersFor({ allow_origins_by_regex: ['x'] }, [['Origin', 'x']]).Vary, undefined);
  const response = new TestResponse({ headers: [['Vary', 'Accept']] });
  runHeaderFilter(createPlugin(cors, { allow_origins: '**' }), new TestRequest(), response);
  assert.deepEqual(response.headerValues('vary'), ['Accept', 'Origin']);
});

test('methods, headers, ages and credentials are told as they are configured', () => {
  const configuration = {
    allow_origins: ORIGIN,
    allow_methods: 'GET,PUT',
    allow_headers: 'X-A,X-B',
    expose_headers: 'X-C',
    max_age: -1,
    allow_credential: true,
  };
  assert.deepEqual(headersFor(configuration, [['Origin', ORIGIN]]), {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': ORIGIN,
    'Access-Control-Allow-Methods': 'GET,PUT',
    'Access-Control-Max-Age': '-1',
    'Access-Control-Expose-Headers': 'X-C',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Headers': 'X-A,X-B',
  });
  assert.equal(headersFor({ expose_headers: '' }, [])['Access-Control-Expose-Headers'], undefined);
});

test('** stands for all methods, and for the headers that the client asks for', () => {
  const configuration = { allow_methods: '**', allow_headers: '**' };
  assert.equal(headersFor(configuration, [])['Access-Control-Allow-Methods'], 'GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE');
  assert.equal(headersFor(configuration, [])['Access-Control-Allow-Headers'], undefined);
  const asked = headersFor(configuration, [['Access-Control-Request-Headers', 'x-a, x-b']]);
  assert.equal(asked['Access-Control-Allow-Headers'], 'x-a, x-b');
});

test('the origin that arrived counts, whatever other plugins make of it', () => {
  const instance = createPlugin(cors, { allow_origins: '**' });
  const changed = new TestRequest({ headers: [['Origin', ORIGIN]] });
  runPhaseAtOnce(instance, 'rewrite', changed);
  changed.setHeader('Origin', 'https://other.com');
  assert.equal(runHeaderFilter(instance, changed).header('access-control-allow-origin'), ORIGIN);
  const early = new TestRequest({ headers: [['Origin', ORIGIN]] });
  assert.equal(runHeaderFilter(instance, early).header('access-control-allow-origin'), ORIGIN, 'where a plugin before it answers');
});

test('named sets of the metadata come first; what is configured follows only where it is not *', () => {
  const metadata = { allow_origins: { one: `${ORIGIN},http://a.com`, any: '*', all: '**' } };
  const allowed = (configuration: JsonObject, origin?: string) => allowedFor(configuration, origin, metadata);
  assert.equal(allowed({ allow_origins_by_metadata: ['one'] }, ORIGIN), ORIGIN);
  assert.equal(allowed({ allow_origins_by_metadata: ['none', 'one'] }, 'http://a.com'), 'http://a.com');
  assert.equal(allowed({ allow_origins_by_metadata: ['any'] }, 'http://b.com'), 'http://b.com');
  assert.equal(allowed({ allow_origins_by_metadata: ['all'] }, 'http://b.com'), 'http://b.com');
  assert.equal(allowed({ allow_origins_by_metadata: ['any'] }), undefined);
  assert.equal(allowed({ allow_origins_by_metadata: ['one'] }, 'http://b.com'), undefined);
  assert.equal(allowed({ allow_origins_by_metadata: ['one'], allow_origins: 'http://b.com' }, 'http://b.com'), 'http://b.com');
  assert.equal(allowed({ allow_origins_by_metadata: ['one'], allow_origins_by_regex: ['b'] }, 'http://b.com'), undefined);
  const all = { allow_origins_by_metadata: ['one'], allow_origins_by_regex: ['b'], allow_origins: 'http://c.com' };
  assert.equal(allowed(all, 'http://b.com'), 'http://b.com');
  assert.equal(allowed(all, 'http://c.com'), undefined);
  assert.equal(allowedFor({ allow_origins_by_metadata: ['one', 'toString'] }, ORIGIN), undefined, 'without metadata');
});

test('Timing-Allow-Origin has rules of its own', () => {
  const timing = (configuration: JsonObject, origin?: string) =>
    headersFor(configuration, origin === undefined ? [] : [['Origin', origin]])['Timing-Allow-Origin'];
  assert.equal(timing({}, ORIGIN), undefined);
  assert.equal(timing({ timing_allow_origins: '*' }), '*');
  assert.equal(timing({ timing_allow_origins: '**' }, ORIGIN), ORIGIN);
  assert.equal(timing({ timing_allow_origins: ORIGIN, allow_origins: 'http://x.com' }, ORIGIN), ORIGIN);
  assert.equal(timing({ timing_allow_origins: ORIGIN }, 'http://a.com'), undefined);
  assert.equal(timing({ timing_allow_origins_by_regex: ['example'] }, ORIGIN), ORIGIN);
  assert.equal(timing({ timing_allow_origins_by_regex: ['other'], timing_allow_origins: ORIGIN }, ORIGIN), undefined);
});

test('with allow_credential nothing may be *, defaults included', () => {
  const message = "Error at \"/plugins/cors\": you can not set '*' for other option when 'allow_credential' is true";
  const errorOf = (configuration: JsonObject) => configurationError(corsSchema, { allow_credential: true, ...configuration });
  assert.equal(errorOf({}), message);
  const good = { allow_origins: '**', allow_methods: '**', allow_headers: '**' };
  assert.equal(errorOf(good), '');
  for (const name of ['allow_origins', 'allow_methods', 'allow_headers', 'expose_headers', 'timing_allow_origins']) {
    assert.equal(errorOf({ ...good, [name]: '*' }), message, name);
  }
});

test('the limits of the configuration are those of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(corsSchema, configuration);
  for (const origins of ['*', '**', 'null', 'http://a', 'http://a.com:80,https://b.com', 'custom://x']) {
    assert.equal(errorOf({ allow_origins: origins, timing_allow_origins: origins }), '', origins);
  }
  for (const origins of ['', '***', 'a.com', 'http://a,b', 'http://a, http://b', '*,http://a', 'http://', 'http://a\r\nX: y']) {
    assert.match(errorOf({ allow_origins: origins }), /cors\/allow_origins": string doesn't match/, origins);
    assert.match(errorOf({ timing_allow_origins: origins }), /cors\/timing_allow_origins": string doesn't match/, origins);
  }
  for (const name of ['allow_methods', 'allow_headers', 'expose_headers']) {
    assert.equal(errorOf({ [name]: '' }), '');
    assert.match(errorOf({ [name]: 'a\r\nX: y' }), /a header cannot hold control characters/);
    assert.match(errorOf({ [name]: 1 }), /must be a string/);
  }
  assert.match(errorOf({ max_age: '5' }), /must be an integer/);
  assert.match(errorOf({ allow_credential: 1 }), /must be a boolean/);
  for (const name of ['allow_origins_by_regex', 'allow_origins_by_metadata', 'timing_allow_origins_by_regex']) {
    assert.equal(errorOf({ [name]: ['a', 'b'] }), '');
    assert.match(errorOf({ [name]: [] }), /minimum number of items/);
    assert.match(errorOf({ [name]: ['a', 'a'] }), /duplicate items/);
    assert.match(errorOf({ [name]: [''] }), /minimum string length/);
    assert.match(errorOf({ [name]: ['x'.repeat(4097)] }), /maximum string length/);
  }
  for (const name of ['allow_origins_by_regex', 'timing_allow_origins_by_regex'])
    assert.match(errorOf({ [name]: ['('] }), new RegExp(`${name}/0": .`));
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'cors');
  assert.equal(configurationError(corsSchema, configuration), '');
  assert.equal(allowedFor(configuration, ORIGIN), ORIGIN);
  assert.equal(allowedFor(configuration, 'https://evil.com'), undefined);
});
