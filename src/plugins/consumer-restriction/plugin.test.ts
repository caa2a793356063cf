import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConsumerMatch, JsonObject } from '../../plugin-kit/index.ts';
import { configurationError, createPlugin, exampleOf, readExamples, runPhaseAtOnce, TestRequest } from '../../plugin-kit/testing/index.ts';
import { consumerRestriction } from './plugin.ts';
import { consumerRestrictionSchema } from './schema.ts';

const consumer = (username: string): ConsumerMatch => ({ username, customId: undefined, credentialId: undefined });

function statusFor(configuration: JsonObject, username: string, method = 'GET'): number | undefined {
  return runPhaseAtOnce(
    createPlugin(consumerRestriction, configuration),
    'access',
    new TestRequest({ method, consumer: consumer(username) }),
  )?.status;
}

test('only consumers of the whitelist pass', () => {
  assert.equal(statusFor({ whitelist: ['jack', 'rose'] }, 'rose'), undefined);
  for (const username of ['jim', 'Jack', 'jac', 'jackx']) assert.equal(statusFor({ whitelist: ['jack'] }, username), 403, username);
});

test('all but the consumers of the blacklist pass', () => {
  assert.equal(statusFor({ blacklist: ['jack'] }, 'jack'), 403);
  assert.equal(statusFor({ blacklist: ['jack'] }, 'rose'), undefined);
});

test('the blacklist comes first, then the whitelist, and only without a whitelist the methods are looked at', () => {
  assert.equal(statusFor({ blacklist: ['jack'], whitelist: ['jack'] }, 'jack'), 403);
  const methods = [{ user: 'jack', methods: ['POST'] }];
  assert.equal(statusFor({ whitelist: ['jack'], allowed_by_methods: methods }, 'jack', 'GET'), undefined);
  assert.equal(statusFor({ blacklist: ['rose'], allowed_by_methods: methods }, 'jack', 'GET'), 403);
  assert.equal(statusFor({ blacklist: ['rose'], allowed_by_methods: methods }, 'jack', 'POST'), undefined);
});

test('methods hold for who is named, the first entry counts, and all others may use every one', () => {
  const configuration = {
    allowed_by_methods: [
      { user: 'jack', methods: ['GET', 'POST'] },
      { user: 'jack', methods: ['DELETE'] },
      { user: 'nothing' },
      { methods: ['GET'] },
    ],
  };
  assert.equal(statusFor(configuration, 'jack', 'POST'), undefined);
  assert.equal(statusFor(configuration, 'jack', 'DELETE'), 403);
  assert.equal(statusFor(configuration, 'nothing', 'GET'), 403);
  assert.equal(statusFor(configuration, 'rose', 'DELETE'), undefined);
});

test('route and service can be looked up in place of the consumer', () => {
  const answer = (configuration: JsonObject) =>
    runPhaseAtOnce(createPlugin(consumerRestriction, configuration), 'access', new TestRequest({ route: { id: 'r1', serviceId: 's1' } }));
  assert.equal(answer({ type: 'route_id', whitelist: ['r1'] }), undefined);
  assert.equal(answer({ type: 'route_id', blacklist: ['r1'] })?.body, '{"message":"The route_id is forbidden."}\n');
  assert.equal(answer({ type: 'service_id', whitelist: ['s1'] }), undefined);
  assert.equal(answer({ type: 'service_id', whitelist: ['s2'] })?.body, '{"message":"The service_id is forbidden."}\n');
});

test('a consumer group is what its variable says', () => {
  const instance = createPlugin(consumerRestriction, { type: 'consumer_group_id', whitelist: ['gold'] });
  const inGroup = (group: string) => new TestRequest({ variables: { consumer_group_id: group } });
  assert.equal(runPhaseAtOnce(instance, 'access', inGroup('gold')), undefined);
  assert.equal(runPhaseAtOnce(instance, 'access', inGroup('iron'))?.body, '{"message":"The consumer_group_id is forbidden."}\n');
});

test('a request without the value is refused with 401, and the text names what is missing', () => {
  for (const type of ['consumer_name', 'service_id', 'route_id', 'consumer_group_id']) {
    const answer = runPhaseAtOnce(
      createPlugin(consumerRestriction, { type, blacklist: ['x'] }),
      'access',
      new TestRequest({ route: null }),
    );
    assert.deepEqual(answer, {
      status: 401,
      headers: [['Content-Type', 'text/plain; charset=utf-8']],
      body: `{"message":"The request is rejected, please check the ${type} for this request"}\n`,
      reason: 'consumer_required',
    });
  }
  const noService = new TestRequest({ route: { serviceId: '' } });
  assert.equal(
    runPhaseAtOnce(createPlugin(consumerRestriction, { type: 'service_id', blacklist: ['x'] }), 'access', noService)?.status,
    401,
  );
});

test('the refusal has the text of APISIX, or the configured text and status', () => {
  const refusal = (more: JsonObject) =>
    runPhaseAtOnce(
      createPlugin(consumerRestriction, { blacklist: ['jack'], ...more }),
      'access',
      new TestRequest({ consumer: consumer('jack') }),
    );
  assert.deepEqual(refusal({}), {
    status: 403,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"message":"The consumer_name is forbidden."}\n',
    reason: 'consumer_forbidden',
  });
  const own = refusal({ rejected_code: 404, rejected_msg: 'request is forbidden' });
  assert.deepEqual([own?.status, own?.body], [404, '{"message":"request is forbidden"}\n']);
});

test('at least one list is needed, and every field has its bounds', () => {
  const errorOf = (configuration: JsonObject) => configurationError(consumerRestrictionSchema, configuration);
  for (const configuration of [
    { whitelist: ['a'] },
    { blacklist: ['a'] },
    { allowed_by_methods: [] },
    { whitelist: ['a'], blacklist: ['b'] },
  ]) {
    assert.equal(errorOf(configuration), '');
  }
  assert.equal(errorOf({ whitelist: ['a'], type: 'route_id', rejected_code: 200, rejected_msg: '' }), '');
  assert.match(errorOf({}), /doesn't match any schema from "anyOf"/);
  assert.match(errorOf({ whitelist: [] }), /minimum number of items/);
  assert.match(errorOf({ whitelist: [1] }), /must be a string/);
  assert.match(errorOf({ whitelist: ['a'], type: 'group' }), /not one of the allowed values/);
  for (const code of [199, 600]) assert.match(errorOf({ whitelist: ['a'], rejected_code: code }), /number must be at/);
  assert.match(errorOf({ allowed_by_methods: [{ user: 'a', methods: [] }] }), /minimum number of items/);
  assert.match(errorOf({ allowed_by_methods: [{ user: 'a', methods: ['FETCH'] }] }), /not one of the allowed values/);
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE']) {
    assert.equal(errorOf({ allowed_by_methods: [{ user: 'a', methods: [method] }] }), '');
  }
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'consumer-restriction');
  assert.equal(configurationError(consumerRestrictionSchema, configuration), '');
  assert.equal(statusFor(configuration, 'mallory'), 403);
  assert.equal(statusFor(configuration, 'reader', 'GET'), undefined);
  assert.equal(statusFor(configuration, 'reader', 'POST'), 403);
  assert.equal(statusFor(configuration, 'writer', 'POST'), undefined);
});
