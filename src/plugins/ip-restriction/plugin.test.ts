import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { configurationError, createPlugin, exampleOf, readExamples, runPhaseAtOnce, TestRequest } from '../../plugin-kit/testing/index.ts';
import { ipRestriction } from './plugin.ts';
import { ipRestrictionSchema } from './schema.ts';

function answerTo(configuration: JsonObject, remoteAddress: string) {
  return runPhaseAtOnce(createPlugin(ipRestriction, configuration), 'access', new TestRequest({ remoteAddress }));
}

test('only addresses of the whitelist pass', () => {
  const configuration = { whitelist: ['10.0.0.1', '192.0.2.0/24', '2001:db8::/32', '::1'] };
  for (const address of ['10.0.0.1', '192.0.2.0', '192.0.2.255', '2001:db8::1', '2001:db8:ffff::', '::1']) {
    assert.equal(answerTo(configuration, address), undefined, address);
  }
  for (const address of ['10.0.0.2', '192.0.3.1', '2001:db9::1', '::2'])
    assert.equal(answerTo(configuration, address)?.status, 403, address);
});

test('all but the addresses of the blacklist pass', () => {
  const configuration = { blacklist: ['10.0.0.0/8', '2001:db8::1'] };
  for (const address of ['10.1.2.3', '2001:db8::1']) assert.equal(answerTo(configuration, address)?.status, 403, address);
  for (const address of ['11.0.0.1', '2001:db8::2']) assert.equal(answerTo(configuration, address), undefined, address);
});

test('IPv4 addresses in IPv6 form are the same addresses', () => {
  assert.equal(answerTo({ blacklist: ['::ffff:10.0.0.1'] }, '10.0.0.1')?.status, 403);
  assert.equal(answerTo({ whitelist: ['::ffff:10.0.0.0/104'] }, '10.9.9.9'), undefined);
});

test('0.0.0.0/0 stands for all of IPv4 and nothing of IPv6', () => {
  assert.equal(answerTo({ blacklist: ['0.0.0.0/0'] }, '203.0.113.1')?.status, 403);
  assert.equal(answerTo({ blacklist: ['0.0.0.0/0'] }, '2001:db8::1'), undefined);
  assert.equal(answerTo({ blacklist: ['::/0'] }, '2001:db8::1')?.status, 403);
});

test('the refusal has the text of APISIX, or the configured one, and the configured status', () => {
  assert.deepEqual(answerTo({ blacklist: ['10.0.0.1'] }, '10.0.0.1'), {
    status: 403,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"message":"Your IP address is not allowed"}\n',
    reason: 'address_forbidden',
  });
  const own = answerTo({ blacklist: ['10.0.0.1'], message: 'Go away', response_code: 404 }, '10.0.0.1');
  assert.deepEqual([own?.status, own?.body], [404, '{"message":"Go away"}\n']);
});

test('an address that real-ip has named is the one that counts', () => {
  const request = new TestRequest({ remoteAddress: '192.0.2.1' });
  request.setRemoteAddress('10.0.0.1', undefined);
  assert.equal(runPhaseAtOnce(createPlugin(ipRestriction, { whitelist: ['10.0.0.1'] }), 'access', request), undefined);
});

test('exactly one list is needed, of addresses and networks', () => {
  const errorOf = (configuration: JsonObject) => configurationError(ipRestrictionSchema, configuration);
  assert.equal(errorOf({ whitelist: ['127.0.0.1', '10.0.0.0/8', '::1', 'fe80::/10'] }), '');
  const either = /doesn't match exactly one schema/;
  assert.match(errorOf({}), either);
  assert.match(errorOf({ whitelist: ['10.0.0.1'], blacklist: ['10.0.0.1'] }), either);
  assert.match(errorOf({ whitelist: [] }), /minimum number of items is 1/);
  assert.match(errorOf({ blacklist: [1] }), /must be a string/);
  for (const address of ['10.0.0', '10.0.0.1/33', '::/129', '10.0.0.0/', '10.0.0.1/x', 'localhost', '', '010.0.0.1']) {
    assert.equal(
      errorOf({ blacklist: ['10.0.0.1', address] }),
      `Error at "/plugins/ip-restriction/blacklist/1": invalid ip address: ${address}`,
    );
  }
});

test('message and status have their bounds', () => {
  const errorOf = (more: JsonObject) => configurationError(ipRestrictionSchema, { whitelist: ['::1'], ...more });
  assert.equal(errorOf({ message: 'x'.repeat(1024), response_code: 404 }), '');
  for (const more of [{ message: '' }, { message: 'x'.repeat(1025) }, { message: 1 }, { response_code: 402 }, { response_code: 405 }]) {
    assert.match(errorOf(more), /^Error at "\/plugins\/ip-restriction\/(?:message|response_code)"/);
  }
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'ip-restriction');
  assert.equal(configurationError(ipRestrictionSchema, configuration), '');
  assert.equal(answerTo(configuration, '10.1.2.3'), undefined);
  assert.equal(answerTo(configuration, '198.51.100.1')?.body, '{"message":"Internal only"}\n');
});
