import assert from 'node:assert/strict';
import test from 'node:test';
import { checkHeaderName } from './check-header-name.ts';
import { compileHeaderTemplates } from './header-templates.ts';

const source = { variable: (name: string) => (name === 'arg_a' ? 'x\r\nSet-Cookie: y\0\x7f\t\xe4' : undefined) };

test('variables are filled in, and a control character of theirs ends no line', () => {
  const templates = compileHeaderTemplates({ 'X-A': 'a=$arg_a', 'X-N': 7, 'X-U': '$none' });
  assert.equal(templates.isConstant, false);
  assert.deepEqual(templates.expand(source), [
    ['X-A', 'a=x%0D%0ASet-Cookie: y%00%7F\t\xe4'],
    ['X-N', '7'],
    ['X-U', ''],
  ]);
});

test('headers without variables are constant, and byte strings', () => {
  const templates = compileHeaderTemplates({ 'X-A': 'ä', 'X-B': 'b\n' });
  assert.equal(templates.isConstant, true);
  assert.deepEqual(templates.expand(source), [
    ['X-A', '\xc3\xa4'],
    ['X-B', 'b%0A'],
  ]);
});

test('names are those of headers, and not of those that frame or are the gateway’s own', () => {
  for (const name of ['X-A', 'content-type', 'a']) assert.deepEqual(checkHeaderName(name, '/h'), []);
  for (const name of ['', 'a b', 'a:b', 'ä', 'a\n']) {
    assert.deepEqual(checkHeaderName(name, '/h'), [{ pointer: '/h', message: 'value must be the name of a header' }]);
  }
  for (const name of ['X-APISIX-Upstream-Status', 'Connection', 'CONTENT-LENGTH', 'Server', 'Portcullis-Request-Id']) {
    assert.deepEqual(checkHeaderName(name, '/h'), [{ pointer: '/h', message: `the header ${name} is the gateway's own` }]);
  }
});
