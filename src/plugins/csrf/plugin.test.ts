import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runHeaderFilter,
  runPhaseAtOnce,
  TestRequest,
  TestResponse,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { cookieDate } from './cookie-date.ts';
import { csrf } from './plugin.ts';
import { csrfSchema } from './schema.ts';

const SETTINGS = { key: 'a secret' };

function setCookie(configuration: JsonObject = SETTINGS, setup = testSetup()): string {
  return runHeaderFilter(createPlugin(csrf, configuration, setup), new TestRequest()).header('set-cookie') ?? '';
}

function tokenFrom(cookie: string): string {
  return /^[^=]+=([^;]*);/.exec(cookie)?.[1] ?? '';
}

interface Presented {
  readonly header?: string;
  readonly cookie?: string;
  readonly method?: string;
  readonly name?: string;
}

function answerTo(
  { header, cookie, method = 'POST', name = 'apisix-csrf-token' }: Presented,
  configuration: JsonObject = SETTINGS,
  setup = testSetup(),
) {
  const headers: [string, string][] = [];
  if (header !== undefined) headers.push([name, header]);
  if (cookie !== undefined) headers.push(['Cookie', `other=1; ${name}=${cookie}; last=2`]);
  return runPhaseAtOnce(createPlugin(csrf, configuration, setup), 'access', new TestRequest({ method, headers }));
}

test('every answer brings a new signed token in a cookie, next to the cookies of the upstream', () => {
  const clock = new FakeClock(Date.UTC(2027, 0, 15, 8, 0, 0));
  const setup = testSetup({ clock });
  const instance = createPlugin(csrf, SETTINGS, setup);
  const response = new TestResponse({ status: 401, headers: [['Set-Cookie', 'a=b']] });
  const [own, added = ''] = runHeaderFilter(instance, new TestRequest(), response).headerValues('set-cookie');
  assert.equal(own, 'a=b');
  assert.match(added, /^apisix-csrf-token=[A-Za-z0-9+/]+=*;path=\/;SameSite=Lax;Expires=Fri, 15-Jan-27 10:00:00 GMT$/);
  const token = JSON.parse(Buffer.from(tokenFrom(added), 'base64').toString());
  assert.deepEqual(Object.keys(token), ['random', 'expires', 'sign']);
  assert.equal(token.expires, clock.nowMs() / 1000);
  assert.match(token.random, /^[0-9a-f]{32}$/);
  const text = `{expires:${token.expires},random:${token.random},key:a secret}`;
  assert.equal(token.sign, createHash('sha256').update(text).digest('hex'));
  assert.notEqual(runHeaderFilter(instance, new TestRequest()).header('set-cookie'), added);
});

test('a request that repeats its token in the header passes', () => {
  const token = tokenFrom(setCookie());
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) assert.equal(answerTo({ header: token, cookie: token, method }), undefined);
});

test('safe methods pass without a token', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) assert.equal(answerTo({ method }), undefined);
  for (const method of ['TRACE', 'get', 'PROPFIND']) assert.equal(answerTo({ method })?.status, 401);
});

test('the texts tell what is wrong, in the order of APISIX', () => {
  const token = tokenFrom(setCookie());
  const texts: readonly (readonly [Presented, string])[] = [
    [{}, 'no csrf token in headers'],
    [{ cookie: token }, 'no csrf token in headers'],
    [{ header: '', cookie: token }, 'no csrf token in headers'],
    [{ header: token }, 'no csrf cookie'],
    [{ header: 'x', cookie: token }, 'csrf token mismatch'],
    [{ header: 'x', cookie: 'x' }, 'Failed to verify the csrf token signature'],
  ];
  for (const [presented, message] of texts) {
    assert.deepEqual(answerTo(presented), {
      status: 401,
      headers: [['Content-Type', 'text/plain; charset=utf-8']],
      body: `{"error_msg":"${message}"}\n`,
      reason: 'csrf_invalid',
    });
  }
});

test('tokens of another key, changed ones and those that are none are refused', () => {
  const good = JSON.parse(Buffer.from(tokenFrom(setCookie()), 'base64').toString());
  const tokens: readonly unknown[] = [
    JSON.parse(Buffer.from(tokenFrom(setCookie({ key: 'another' })), 'base64').toString()),
    { ...good, expires: good.expires + 1 },
    { ...good, random: 'x' },
    { ...good, sign: `${good.sign}0` },
    { ...good, sign: good.sign.toUpperCase() },
    { ...good, expires: `${good.expires}` },
    { ...good, sign: undefined },
    null,
    [],
    'text',
    1,
  ];
  for (const value of tokens) {
    const token = Buffer.from(JSON.stringify(value)).toString('base64');
    assert.equal(answerTo({ header: token, cookie: token })?.body, '{"error_msg":"Failed to verify the csrf token signature"}\n');
  }
});

test('a token is good for as long as expires says, and for ever with 0', () => {
  const clock = new FakeClock();
  const setup = testSetup({ clock });
  const token = tokenFrom(setCookie(SETTINGS, setup));
  clock.advance(7_200_000);
  assert.equal(answerTo({ header: token, cookie: token }, SETTINGS, setup), undefined);
  clock.advance(1000);
  assert.equal(answerTo({ header: token, cookie: token }, SETTINGS, setup)?.status, 401);
  assert.equal(answerTo({ header: token, cookie: token }, { ...SETTINGS, expires: 0 }, setup), undefined);
  assert.equal(answerTo({ header: token, cookie: token }, { ...SETTINGS, expires: 7202 }, setup), undefined);
});

test('a token that has expired does not live again when the clock is set back', () => {
  const expiryClock = new FakeClock();
  const setup = testSetup({ clock: new FakeClock(), expiryClock });
  const token = tokenFrom(setCookie(SETTINGS, setup));
  expiryClock.advance(7_201_000);
  assert.equal(answerTo({ header: token, cookie: token }, SETTINGS, setup)?.status, 401);
});

test('a token of APISIX, whose random part is a number, is accepted', () => {
  const clock = new FakeClock();
  const expires = clock.nowMs() / 1000;
  const sign = createHash('sha256').update(`{expires:${expires},random:0.35,key:a secret}`).digest('hex');
  const token = Buffer.from(JSON.stringify({ random: 0.35, expires, sign })).toString('base64');
  assert.equal(answerTo({ header: token, cookie: token }, SETTINGS, testSetup({ clock })), undefined);
});

test('cookie and header have the configured name', () => {
  const configuration = { ...SETTINGS, name: 'X-Token' };
  const cookie = setCookie(configuration);
  assert.match(cookie, /^X-Token=/);
  const token = tokenFrom(cookie);
  assert.equal(answerTo({ header: token, cookie: token, name: 'X-Token' }, configuration), undefined);
  assert.equal(answerTo({ header: token, cookie: token }, configuration)?.status, 401);
});

test('dates in cookies are written as nginx writes them', () => {
  assert.equal(cookieDate(0), 'Thu, 01-Jan-70 00:00:00 GMT');
  assert.equal(cookieDate(Date.UTC(2010, 10, 18, 11, 27, 35)), 'Thu, 18-Nov-10 11:27:35 GMT');
  assert.equal(cookieDate(Date.UTC(2037, 11, 31, 23, 59, 59)), 'Thu, 31-Dec-37 23:59:59 GMT');
  assert.equal(cookieDate(Date.UTC(2038, 0, 1)), 'Fri, 01-Jan-2038 00:00:00 GMT');
  assert.equal(cookieDate(1e300), 'Fri, 31-Dec-9999 23:59:59 GMT');
  assert.equal(cookieDate(-1e300), 'Thu, 01-Jan-70 00:00:00 GMT');
});

test('a key is needed, and the name must be one that a header and a cookie can have', () => {
  const errorOf = (configuration: JsonObject) => configurationError(csrfSchema, configuration);
  assert.equal(errorOf({ key: '', expires: 0, name: 'a' }), '');
  assert.match(errorOf({}), /property "key" is missing/);
  assert.match(errorOf({ key: 1 }), /must be a string/);
  assert.match(errorOf({ key: 'k', expires: 1.5 }), /must be an integer/);
  for (const name of ['', 'a;b', 'a=b', 'a b', 'a\r\nb', 'ä']) assert.match(errorOf({ key: 'k', name }), /csrf\/name/, name);
  assert.deepEqual(csrfSchema.secretFields, ['key']);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'csrf');
  assert.equal(configurationError(csrfSchema, configuration), '');
  const token = tokenFrom(setCookie(configuration));
  assert.equal(answerTo({ header: token, cookie: token, name: 'shop-token' }, configuration), undefined);
});
