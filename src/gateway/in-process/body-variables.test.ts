import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { JsonValue } from '../../lib/json.ts';
import { get, plugin, serve } from './testing/serve-plugins.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** Says whether the condition of a plugin held for a request. */
async function conditionOn(t: TestContext, rule: JsonValue[]) {
  const { gateway } = await serve(t, [plugin('held', 1, { access: () => ({ status: 218, headers: [], body: '', reason: undefined }) })], {
    route: { held: { _meta: { filter: [rule] } } },
  });
  return async (body: string, type: string): Promise<boolean> => {
    const answer = await gateway.fetch(new Request('http://test/a', { method: 'POST', body, headers: { 'content-type': type } }));
    if (answer.status !== 218) assert.ok(JSON.parse(await answer.text()).body === body);
    return answer.status === 218;
  };
}

test('fields of forms and of JSON bodies are variables, and the body reaches the upstream all the same', async (t) => {
  const version = await conditionOn(t, ['post_arg_version', '==', 'v 2']);
  assert.equal(await version('a=1&version=v+2&version=3', FORM), true);
  assert.equal(await version('version=v%202', `${FORM}; charset=utf-8`), true);
  for (const [body, type] of [
    ['version=3', FORM],
    ['version=v 2', 'text/plain'],
    ['', FORM],
    ['{"version":"v 2"}', JSON_TYPE],
  ] as const)
    assert.equal(await version(body, type), false, body);
  const deep = await conditionOn(t, ['post_arg.a.b[1].c', '==', 2]);
  assert.equal(await deep('{"a":{"b":[1,{"c":2}]}}', JSON_TYPE), true);
  for (const body of ['{"a":{"b":[{"c":2}]}}', '{', '[]', 'null', '{"a":{"__proto__":1}}'])
    assert.equal(await deep(body, JSON_TYPE), false, body);
  const list = await conditionOn(t, ['post_arg.items[*].kind', 'has', 'é']);
  assert.equal(await list('{"items":[{"kind":"a"},{"kind":"é"}]}', JSON_TYPE), true);
  assert.equal(await list(`{"items":[{"kind":"${'x'.repeat(1_100_000)}"}]}`, JSON_TYPE), false);
});

test('name, operation and root fields of a GraphQL request are variables, those behind fragments too', async (t) => {
  const deletes = await conditionOn(t, ['graphql_root_fields', 'has', 'delete']);
  const inFragment = 'mutation M { ...F ... { keep } } fragment F on Mutation { delete ...F }';
  assert.equal(await deletes(inFragment, 'application/graphql'), true);
  assert.equal(await deletes(JSON.stringify({ query: inFragment }), JSON_TYPE), true);
  assert.equal(await deletes('{ keep { delete } }', 'application/graphql'), false);
  const two = 'query A { keep } mutation B { delete }';
  assert.equal(await deletes(JSON.stringify({ query: two, operationName: 'B' }), JSON_TYPE), true);
  assert.equal(await deletes(JSON.stringify({ query: two, operationName: 'A' }), JSON_TYPE), false);
  for (const body of ['{', '{'.repeat(100_000), `{ ${'a '.repeat(20_000)} delete }`])
    assert.equal(await deletes(body, 'application/graphql'), false);
  const { gateway } = await serve(t, [plugin('held', 1, { access: () => ({ status: 218, headers: [], body: '', reason: undefined }) })], {
    route: {
      held: {
        _meta: {
          filter: [
            ['graphql_name', '==', 'Who'],
            ['graphql_operation', '==', 'query'],
          ],
        },
      },
    },
  });
  assert.equal((await gateway.fetch(get(`/a?query=${encodeURIComponent('query Who { me }')}`))).status, 218);
  assert.equal((await gateway.fetch(get('/a?query=nonsense'))).status, 200);
});

test('a body is waited for where a variable of the consumer’s own plugins needs it', async (t) => {
  const held = plugin('held', 1, { access: () => ({ status: 218, headers: [], body: '', reason: undefined }) });
  const { gateway } = await serve(t, [held], {
    route: { 'key-auth': {} },
    consumer: { held: { _meta: { filter: [['post_arg_x', '==', '1']] } } },
  });
  const ask = (body: string) =>
    gateway.fetch(new Request('http://test/a', { method: 'POST', body, headers: { 'content-type': FORM, apikey: 'the-key' } }));
  assert.equal((await ask('x=1')).status, 218);
  assert.equal((await ask('x=2')).status, 200);
});

test('the gateway’s own address, its host and the user of Basic credentials are variables', async (t) => {
  const names = ['server_addr', 'server_name', 'hostname', 'remote_user', 'uri_param_id', 'ssl_protocol', 'consumer_group_id'];
  const { gateway } = await serve(t, [
    plugin('tell', 1, {
      access: (request) => ({
        status: 200,
        headers: [],
        body: JSON.stringify(names.map((name) => request.variable(name) ?? null)),
        reason: undefined,
      }),
    }),
  ]);
  const tell = async (authorization?: string): Promise<unknown[]> =>
    JSON.parse(await (await gateway.fetch(get('/a', authorization === undefined ? {} : { authorization }))).text());
  const [address, name, host, user, ...absent] = await tell(`Basic ${Buffer.from('jack:p:w').toString('base64')}`);
  assert.deepEqual([address, name, user, typeof host], ['127.0.0.1', '_', 'jack', 'string']);
  assert.deepEqual(absent, [null, null, null]);
  for (const other of [undefined, 'Bearer abc', `Basic ${Buffer.from('jack').toString('base64')}`, 'Basic ?'])
    assert.equal((await tell(other))[3], null);
});
