import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { configurationError, createPlugin, exampleOf, readExamples, runPhaseAtOnce, TestRequest } from '../../plugin-kit/testing/index.ts';
import { uaRestriction } from './plugin.ts';
import { uaRestrictionSchema } from './schema.ts';

function answerTo(configuration: JsonObject, ...agents: readonly string[]) {
  const request = new TestRequest({ headers: agents.map((agent) => ['User-Agent', agent]) });
  return runPhaseAtOnce(createPlugin(uaRestriction, configuration), 'access', request);
}

test('only user agents that match the allowlist pass', () => {
  const configuration = { allowlist: ['my-bot1', '^curl/8\\.'] };
  for (const agent of ['my-bot1', 'xx my-bot1 yy', 'curl/8.1']) assert.equal(answerTo(configuration, agent), undefined, agent);
  for (const agent of ['my-bot2', 'MY-BOT1', 'curl/7.1', '']) assert.equal(answerTo(configuration, agent)?.status, 403, agent);
});

test('all but the user agents that match the denylist pass', () => {
  const configuration = { denylist: ['(Twitterspider)/(\\d+)\\.(\\d+)'] };
  assert.equal(answerTo(configuration, 'Twitterspider/2.0')?.status, 403);
  for (const agent of ['Twitterspider', 'twitterspider/2.0', '']) assert.equal(answerTo(configuration, agent), undefined, agent);
});

test('of several user agents one that matches is enough', () => {
  assert.equal(answerTo({ allowlist: ['good'] }, 'bad', 'good'), undefined);
  assert.equal(answerTo({ denylist: ['bad'] }, 'good', 'bad')?.status, 403);
});

test('blanks around a user agent do not count', () => {
  assert.equal(answerTo({ allowlist: ['^a b$'] }, ' a b '), undefined);
});

test('without User-Agent a request is refused unless bypass_missing lets it pass', () => {
  for (const list of ['allowlist', 'denylist']) {
    assert.equal(answerTo({ [list]: ['x'] })?.status, 403);
    assert.equal(answerTo({ [list]: ['x'], bypass_missing: true }), undefined);
  }
  assert.equal(answerTo({ allowlist: ['x'], bypass_missing: true }, '')?.status, 403, 'an empty one is not missing');
});

test('the refusal has the text of APISIX or the configured one', () => {
  assert.deepEqual(answerTo({ denylist: ['x'] }, 'x'), {
    status: 403,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"message":"Not allowed"}\n',
    reason: 'user_agent_forbidden',
  });
  assert.equal(answerTo({ denylist: ['x'], message: 'No bots' }, 'x')?.body, '{"message":"No bots"}\n');
});

test('exactly one list is needed, of regular expressions that can be matched in linear time', () => {
  const errorOf = (configuration: JsonObject) => configurationError(uaRestrictionSchema, configuration);
  assert.equal(errorOf({ allowlist: ['a.*b', '(?i)bot'] }), '');
  assert.match(errorOf({}), /doesn't match exactly one schema/);
  assert.match(errorOf({ allowlist: ['a'], denylist: ['b'] }), /doesn't match exactly one schema/);
  assert.match(errorOf({ allowlist: [] }), /minimum number of items/);
  assert.match(errorOf({ allowlist: [''] }), /minimum string length/);
  for (const pattern of ['(', 'a{2,1}', '(a)\\1', '[']) {
    assert.match(errorOf({ denylist: ['fine', pattern] }), /^Error at "\/plugins\/ua-restriction\/denylist\/1": ./, pattern);
  }
  assert.match(errorOf({ allowlist: ['a'], bypass_missing: 'yes' }), /must be a boolean/);
  assert.match(errorOf({ allowlist: ['a'], message: '' }), /minimum string length/);
  assert.match(errorOf({ allowlist: ['a'], message: 'x'.repeat(1025) }), /maximum string length/);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'ua-restriction');
  assert.equal(configurationError(uaRestrictionSchema, configuration), '');
  assert.equal(answerTo(configuration, 'Mozilla/5.0 (compatible; Googlebot/2.1)')?.status, 403);
  assert.equal(answerTo(configuration, 'curl/8.5.0'), undefined);
  assert.equal(answerTo(configuration), undefined);
});
