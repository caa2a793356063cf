import assert from 'node:assert/strict';
import test from 'node:test';
import { ClientHeaderRules } from './client-header-rules.ts';

const rules = new ClientHeaderRules(['X-Consumer-*', 'X-Credential-Identifier']);

function rule(name: string): string {
  const bytes = Buffer.from(`..${name}: x`, 'latin1');
  return rules.rule(bytes, 2, 2 + name.length);
}

test('an identity header is cut in any case and with any mix of dashes and underscores', () => {
  for (const name of [
    'X-Consumer-Username',
    'x-consumer-username',
    'X_Consumer_Username',
    'X-Consumer_Username',
    'x_CREDENTIAL-identifier',
  ]) {
    assert.equal(rule(name), 'cut', name);
  }
});

test('a look-alike with any other mark for a dash is cut too', () => {
  for (const mark of "!#$%&'*+.^_`|~") {
    for (const name of [
      'X-Consumer-Username',
      'x-credential-identifier',
      'X-Real-IP',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'Content-Length',
    ]) {
      assert.equal(rule(name.replaceAll('-', mark)), 'cut', name.replaceAll('-', mark));
      assert.equal(rule(name.replace('-', mark)), 'cut', name.replace('-', mark));
    }
    assert.equal(rule(`X${mark}Checksum`), 'passes');
  }
});

test('a trailing star covers every ending, and nothing shorter', () => {
  assert.equal(rule('X-Consumer-'), 'cut');
  assert.equal(rule('X-Consumer-Anything-At-All'), 'cut');
  assert.equal(rule('X-Consumer'), 'passes');
  assert.equal(rule('X-Consumers-Name'), 'passes');
});

test('a name that only begins like a fixed identity header passes', () => {
  assert.equal(rule('X-Credential-Identifier-2'), 'passes');
  assert.equal(rule('X-Credential'), 'passes');
});

test('headers that the gateway writes itself are cut from the client', () => {
  for (const name of ['X-Real-IP', 'x_real_ip', 'X_Forwarded-Port', 'Portcullis-Request-Id']) assert.equal(rule(name), 'cut', name);
});

test('what a proxy in front may say is told apart, its look-alikes are cut', () => {
  for (const name of ['X-Forwarded-Proto', 'x-forwarded-HOST', 'X-Forwarded-Port', 'Forwarded']) {
    assert.equal(rule(name), 'forwarding', name);
    assert.equal(rule(name.replace('-', '_')), name === 'Forwarded' ? 'forwarding' : 'cut', name);
  }
});

test('a look-alike of a framing header is cut, the header itself is left to the engine', () => {
  for (const name of ['Content_Length', 'transfer_ENCODING', 'Keep_Alive', 'Proxy_Connection']) {
    assert.equal(rule(name), 'cut', name);
    assert.equal(rule(name.replace('_', '-')), 'passes', name);
  }
});

test('X-Forwarded-For is kept to be continued, its look-alike is cut', () => {
  assert.equal(rule('x-FORWARDED-for'), 'forwarded-for');
  assert.equal(rule('X_Forwarded_For'), 'cut');
});

test('ordinary headers pass', () => {
  for (const name of ['Accept', 'apikey', 'X', 'x-', 'X-Request-Id', 'Content-Type', 'Cookies']) assert.equal(rule(name), 'passes', name);
  assert.equal(rule('cookie'), 'cookie');
});

test('trailers of these names are forbidden too', () => {
  const bytes = Buffer.from('x_consumer_username');
  assert.equal(rules.forbidsTrailer(bytes, 0, bytes.length), true);
  const other = Buffer.from('x-checksum');
  assert.equal(rules.forbidsTrailer(other, 0, other.length), false);
});
