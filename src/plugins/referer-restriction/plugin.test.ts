import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { configurationError, createPlugin, exampleOf, readExamples, runPhaseAtOnce, TestRequest } from '../../plugin-kit/testing/index.ts';
import { refererRestriction } from './plugin.ts';
import { refererHost } from './referer-host.ts';
import { refererRestrictionSchema } from './schema.ts';

function answerTo(configuration: JsonObject, referer?: string) {
  const request = new TestRequest({ headers: referer === undefined ? [] : [['Referer', referer]] });
  return runPhaseAtOnce(createPlugin(refererRestriction, configuration), 'access', request);
}

test('only hosts of the whitelist may refer here', () => {
  const configuration = { whitelist: ['a.com', '*.b.com', '*c.com'] };
  const good = [
    'http://a.com',
    'https://a.com:8443/x?y#z',
    'http://x.b.com/',
    'http://x.y.b.com',
    'http://c.com',
    'http://xc.com',
    '//a.com/x',
    'HTTP://A.COM/',
  ];
  for (const referer of good) assert.equal(answerTo(configuration, referer), undefined, referer);
  const bad = [
    'http://b.com',
    'http://x.a.com',
    'http://a.com.evil.com',
    'http://evil.com/a.com',
    'http://evil.com/http://a.com',
    'http://a.comm',
  ];
  for (const referer of bad) assert.equal(answerTo(configuration, referer)?.status, 403, referer);
});

test('all but the hosts of the blacklist may refer here', () => {
  const configuration = { blacklist: ['evil.com', '*.evil.com'] };
  for (const referer of ['http://evil.com/', 'http://EVIL.com', 'http://x.evil.com'])
    assert.equal(answerTo(configuration, referer)?.status, 403);
  for (const referer of ['http://good.com/evil.com', 'http://notevil.com']) assert.equal(answerTo(configuration, referer), undefined);
});

test('a star alone stands for every host, and an IPv6 address is a host', () => {
  assert.equal(answerTo({ blacklist: ['*'] }, 'http://a')?.status, 403);
  assert.equal(answerTo({ whitelist: ['[::1]'] }, 'http://[::1]:8080/x'), undefined);
});

test('a missing or malformed Referer is refused unless bypass_missing lets it pass', () => {
  for (const referer of [
    undefined,
    '',
    'a.com',
    '/x',
    'ftp://a.com',
    'http://',
    'http://good.com@evil.com',
    'http://good.com:p@evil.com',
  ]) {
    for (const list of ['whitelist', 'blacklist']) {
      assert.equal(answerTo({ [list]: ['good.com'] }, referer)?.status, 403, `${referer}`);
      assert.equal(answerTo({ [list]: ['good.com'], bypass_missing: true }, referer), undefined, `${referer}`);
    }
  }
});

test('the host of a Referer is what a browser would have connected to', () => {
  for (const url of ['http://a.com', 'http://A.com:1/b?c#d', 'https://a.com#x', 'https://a.com\\@b.com', 'http://a.com?@b.com']) {
    assert.equal(refererHost(url), new URL(url).hostname, url);
  }
});

test('the refusal has the text of APISIX or the configured one', () => {
  assert.deepEqual(answerTo({ whitelist: ['a.com'] }), {
    status: 403,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"message":"Your referer host is not allowed"}\n',
    reason: 'referer_forbidden',
  });
  assert.equal(answerTo({ whitelist: ['a.com'], message: 'Go home' })?.body, '{"message":"Go home"}\n');
});

test('exactly one list of hosts is needed', () => {
  const errorOf = (configuration: JsonObject) => configurationError(refererRestrictionSchema, configuration);
  assert.equal(errorOf({ whitelist: ['*', '*.a.com', '*a.com', 'a-b_c.com', '[::1]'] }), '');
  assert.match(errorOf({}), /doesn't match exactly one schema/);
  assert.match(errorOf({ whitelist: ['a'], blacklist: ['b'] }), /doesn't match exactly one schema/);
  assert.match(errorOf({ blacklist: [] }), /minimum number of items/);
  for (const host of ['', 'a*', '**', 'a/b', 'a b', 'ä.com']) assert.match(errorOf({ whitelist: [host] }), /regular expression/, host);
  assert.match(errorOf({ whitelist: ['a'], bypass_missing: 1 }), /must be a boolean/);
  for (const message of ['', 'x'.repeat(1025)]) assert.match(errorOf({ whitelist: ['a'], message }), /string length/);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'referer-restriction');
  assert.equal(configurationError(refererRestrictionSchema, configuration), '');
  assert.equal(answerTo(configuration, 'https://shop.example.com/cart'), undefined);
  assert.equal(answerTo(configuration), undefined);
  assert.equal(answerTo(configuration, 'https://example.org')?.status, 403);
});
