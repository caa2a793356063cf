import assert from 'node:assert/strict';
import test from 'node:test';
import { checkNetworks, checkRegexes, compileRegexes, textList } from './index.ts';

test('each expression that is none is named by its place in the list', () => {
  assert.deepEqual(checkRegexes(['a+', '^(b|c)$'], '/rules'), []);
  const [issue, ...others] = checkRegexes(['a', '(', 'b'], '/rules');
  assert.deepEqual([issue?.pointer, others], ['/rules/1', []]);
  assert.match(issue?.message ?? '', /./);
});

test('what was accepted is compiled in order, and anything else throws', () => {
  const [first, second] = compileRegexes(['A', 'b'], { ignoreCase: true });
  assert.deepEqual([first?.test('a'), second?.test('B'), second?.test('a')], [true, true, false]);
  assert.throws(() => compileRegexes(['(']), /a regular expression is invalid/);
});

test('each text that is neither an address nor a network is named by its place, in the words of APISIX', () => {
  assert.deepEqual(checkNetworks(['10.0.0.1', '10.0.0.0/8', '::1', 'fe80::/10'], '/list'), []);
  assert.deepEqual(checkNetworks(['::1', 'localhost', '10.0.0.0/33'], '/list'), [
    { pointer: '/list/1', message: 'invalid ip address: localhost' },
    { pointer: '/list/2', message: 'invalid ip address: 10.0.0.0/33' },
  ]);
});

test('a list of a configuration is its texts, and an absent one is empty', () => {
  assert.deepEqual(textList(['a', 'b']), ['a', 'b']);
  for (const value of [undefined, null, 'a', {}]) assert.deepEqual(textList(value), []);
});
