import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { configurationError, createPlugin, exampleOf, readExamples, runPhaseAtOnce, TestRequest } from '../../plugin-kit/testing/index.ts';
import { uriBlocker } from './plugin.ts';
import { uriBlockerSchema } from './schema.ts';

function answerTo(configuration: JsonObject, target: string) {
  return runPhaseAtOnce(createPlugin(uriBlocker, configuration), 'rewrite', new TestRequest({ target }));
}

test('a rule is searched in path and query, the path decoded and the query as sent', () => {
  const configuration = { block_rules: ['root\\.exe', 'a b', 'c=%20', '^/end$'] };
  for (const target of ['/root.exe', '/x?y=root.exe', '/root%2Eexe', '/a%20b', '/x?c=%20', '/end']) {
    assert.equal(answerTo(configuration, target)?.status, 403, target);
  }
  for (const target of ['/', '/rootXexe', '/x?y=root%2Eexe', '/x?a%20b', '/end?x', '/ROOT.EXE']) {
    assert.equal(answerTo(configuration, target), undefined, target);
  }
});

test('case_insensitive makes upper and lower case the same', () => {
  assert.equal(answerTo({ block_rules: ['aa'], case_insensitive: true }, '/AA')?.status, 403);
  assert.equal(answerTo({ block_rules: ['aa'], case_insensitive: false }, '/AA'), undefined);
});

test('text beyond ASCII is found by its bytes', () => {
  assert.equal(answerTo({ block_rules: ['é$'] }, '/caf%C3%A9')?.status, 403);
});

test('an empty list of rules blocks everything', () => {
  assert.equal(answerTo({ block_rules: [] }, '/')?.status, 403);
});

test('without a message the answer is the gateway’s own error, with one it is error_msg as text', () => {
  assert.deepEqual(answerTo({ block_rules: ['x'] }, '/x'), {
    status: 403,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"access is blocked by URI"}\n',
    reason: 'uri_blocked',
  });
  assert.deepEqual(answerTo({ block_rules: ['x'], rejected_msg: 'access is not allowed', rejected_code: 501 }, '/x'), {
    status: 501,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"error_msg":"access is not allowed"}\n',
    reason: 'uri_blocked',
  });
  assert.equal(answerTo({ block_rules: ['x'], rejected_code: 200 }, '/x')?.body, '');
});

test('error_response replaces the body even where the plugin has none of its own', () => {
  const answer = answerTo({ block_rules: ['x'], _meta: { error_response: { code: 1 } } }, '/x');
  assert.deepEqual([answer?.status, answer?.body], [403, '{"code":1}\n']);
});

test('the limits of the configuration are those of APISIX, and statuses end with 599', () => {
  const errorOf = (configuration: JsonObject) => configurationError(uriBlockerSchema, configuration);
  assert.equal(errorOf({ block_rules: [`^${'x'.repeat(4095)}`], rejected_code: 599, rejected_msg: 'x' }), '');
  assert.match(errorOf({}), /property "block_rules" is missing/);
  assert.match(errorOf({ block_rules: ['a', 'a'] }), /duplicate items/);
  assert.match(errorOf({ block_rules: [''] }), /minimum string length/);
  assert.match(errorOf({ block_rules: ['x'.repeat(4097)] }), /maximum string length/);
  for (const code of [199, 600, 403.5]) assert.match(errorOf({ block_rules: ['a'], rejected_code: code }), /rejected_code/);
  assert.match(errorOf({ block_rules: ['a'], rejected_msg: '' }), /minimum string length/);
  assert.match(errorOf({ block_rules: ['a'], case_insensitive: 0 }), /must be a boolean/);
  assert.match(errorOf({ block_rules: ['a', '.+('] }), /^Error at "\/plugins\/uri-blocker\/block_rules\/1": ./);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'uri-blocker');
  assert.equal(configurationError(uriBlockerSchema, configuration), '');
  assert.equal(answerTo(configuration, '/x?file=.ENV')?.body, '{"error_msg":"access is not allowed"}\n');
  assert.equal(answerTo(configuration, '/orders'), undefined);
});
