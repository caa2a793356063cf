import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { configurationError, createPlugin, exampleOf, readExamples, runPhaseAtOnce, TestRequest } from '../../plugin-kit/testing/index.ts';
import { labelValues } from './label-values.ts';
import { acl } from './plugin.ts';
import { aclSchema } from './schema.ts';

function answerTo(configuration: JsonObject, labels: Readonly<Record<string, string>> | undefined) {
  const consumer = {
    username: 'jack',
    customId: undefined,
    credentialId: undefined,
    labels: labels && new Map(Object.entries(labels)),
  };
  return runPhaseAtOnce(createPlugin(acl, configuration), 'access', new TestRequest({ consumer }));
}

test('only consumers with a wanted label pass', () => {
  const configuration = { allow_labels: { org: ['apache', 'cncf'], team: ['a'] } };
  for (const labels of [{ org: 'apache' }, { org: 'cncf', x: 'y' }, { team: 'a' }])
    assert.equal(answerTo(configuration, labels), undefined);
  for (const labels of [{ org: 'other' }, { team: 'apache' }, { Org: 'apache' }, {}, undefined]) {
    assert.equal(answerTo(configuration, labels)?.status, 403);
  }
});

test('consumers with an unwanted label do not pass, whatever else is allowed', () => {
  const configuration = { allow_labels: { org: ['apache'] }, deny_labels: { project: ['tomcat'] } };
  assert.equal(answerTo(configuration, { org: 'apache', project: 'tomcat' })?.status, 403);
  assert.equal(answerTo(configuration, { org: 'apache', project: 'web' }), undefined);
  assert.equal(answerTo({ deny_labels: { project: ['tomcat'] } }, undefined), undefined);
});

test('a label can hold several values: as a JSON array, or with commas', () => {
  for (const org of ['["apache","x"]', 'x,apache', 'x , apache ', 'apache']) {
    assert.equal(answerTo({ allow_labels: { org: ['apache'] } }, { org }), undefined, org);
  }
  for (const org of ['["apache"', '{"a":"apache"}', '["x"]', 'apache x']) {
    assert.equal(answerTo({ allow_labels: { org: ['apache'] } }, { org })?.status, 403, org);
  }
  assert.deepEqual(labelValues('[1,"a",["b"],null]'), ['a']);
  assert.deepEqual(labelValues(' a'), [' a']);
  assert.deepEqual(labelValues('a,,b'), ['a', '', 'b']);
});

test('names of labels that every object has stand for nothing', () => {
  const configuration = { allow_labels: { toString: ['x'], constructor: ['x'] } };
  assert.equal(answerTo(configuration, { org: 'x' })?.status, 403);
  assert.equal(answerTo(configuration, { valueOf: 'x' })?.status, 403);
  assert.equal(answerTo(configuration, { constructor: 'x' }), undefined);
});

test('without a consumer a request is refused with 401', () => {
  assert.deepEqual(runPhaseAtOnce(createPlugin(acl, { deny_labels: { a: ['b'] } }), 'access', new TestRequest()), {
    status: 401,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"message":"Missing authentication."}\n',
    reason: 'consumer_required',
  });
});

test('the refusal has the text of APISIX, or the configured text and status', () => {
  const refusal = (more: JsonObject) => answerTo({ allow_labels: { a: ['b'] }, ...more }, {});
  assert.deepEqual(refusal({}), {
    status: 403,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"message":"The consumer is forbidden."}\n',
    reason: 'consumer_forbidden',
  });
  const own = refusal({ rejected_code: 599, rejected_msg: 'no' });
  assert.deepEqual([own?.status, own?.body], [599, '{"message":"no"}\n']);
});

test('at least one set of labels is needed, and every field has its bounds', () => {
  const errorOf = (configuration: JsonObject) => configurationError(aclSchema, configuration);
  const good = { allow_labels: { a: ['b'] } };
  assert.equal(errorOf(good), '');
  assert.equal(errorOf({ deny_labels: { a: ['b', 'c'] } }), '');
  assert.match(errorOf({}), /doesn't match any schema from "anyOf"/);
  assert.match(errorOf({ allow_labels: {} }), /at least 1 properties/);
  assert.match(errorOf({ allow_labels: { a: [] } }), /minimum number of items/);
  assert.match(errorOf({ allow_labels: { a: 'b' } }), /must be an array/);
  assert.match(errorOf({ deny_labels: { a: [1] } }), /must be a string/);
  for (const code of [199, 600]) assert.match(errorOf({ ...good, rejected_code: code }), /number must be at/);
});

test('what APISIX configures of external users is accepted when it is well formed', () => {
  const errorOf = (more: JsonObject) => configurationError(aclSchema, { allow_labels: { a: ['b'] }, ...more });
  for (const field of ['groups', '$.a.b', '$..orgs[*].name', 'a[0]', "$['a b']", 'a["b"].c'])
    assert.equal(errorOf({ external_user_label_field: field }), '', field);
  for (const field of ['$.', '[', 'a[', 'a..', 'a[b]']) {
    assert.match(errorOf({ external_user_label_field: field }), /external_user_label_field": invalid external_user_label_field: ./, field);
  }
  for (const parser of ['json', 'table']) assert.equal(errorOf({ external_user_label_field_parser: parser }), '');
  assert.equal(errorOf({ external_user_label_field_parser: 'segmented_text', external_user_label_field_separator: ',\\s*' }), '');
  assert.match(
    errorOf({ external_user_label_field_parser: 'segmented_text' }),
    /property "external_user_label_field_separator" is missing/,
  );
  assert.match(errorOf({ external_user_label_field_separator: '(' }), /external_user_label_field_separator": ./);
  assert.match(errorOf({ external_user_label_field_parser: 'csv' }), /not one of the allowed values/);
  assert.match(errorOf({ external_user_label_field_key: '' }), /minimum string length/);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'acl');
  assert.equal(configurationError(aclSchema, configuration), '');
  assert.equal(answerTo(configuration, { plan: 'gold,beta' }), undefined);
  assert.equal(answerTo(configuration, { plan: 'gold', state: 'suspended' })?.status, 403);
  assert.equal(answerTo(configuration, {})?.body, '{"message":"Ask for a plan"}\n');
});
