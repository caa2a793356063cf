import assert from 'node:assert/strict';
import test from 'node:test';
import { withoutSessionCookie } from './session-cookie.ts';

test('the session cookie is taken out and all others stay as sent', () => {
  assert.equal(withoutSessionCookie('a=1; __Host-portcullis=secret; b="x y"'), 'a=1; b="x y"');
  assert.equal(withoutSessionCookie('__Host-portcullis=secret; a=1'), 'a=1');
  assert.equal(withoutSessionCookie('__Host-portcullis=secret'), '');
  assert.equal(withoutSessionCookie('a=1; __Host-portcullis'), 'a=1');
});

test('every occurrence is taken out', () => {
  assert.equal(withoutSessionCookie('__Host-portcullis=a;x=1;  __Host-portcullis = b'), 'x=1');
});

test('a comma ends a pair too, for upstreams that read it so', () => {
  assert.equal(withoutSessionCookie('a=1, __Host-portcullis=secret, b=2; c=3'), 'a=1, b=2; c=3');
  assert.equal(withoutSessionCookie('a=1,__Host-portcullis=x,y; c=3'), 'a=1,y; c=3');
});

test('a cookie that only resembles it stays', () => {
  const value = '__Host-portcullis-theme=dark; x=__Host-portcullis';
  assert.equal(withoutSessionCookie(value), value);
});
