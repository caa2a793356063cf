import assert from 'node:assert/strict';
import test from 'node:test';
import { textHash } from '../../lib/text-hash.ts';
import type { HashRule } from '../../schema/index.ts';
import { compileHashKey } from './hash-key.ts';

const VARIABLES: Readonly<Record<string, string | number>> = {
  remote_addr: '10.1.2.3',
  uri: '/a',
  http_x_user: 'ann',
  cookie_sid: 'c1',
  consumer_name: 'jack',
  remote_port: 7,
  arg_empty: '',
};
const request = { variable: (name: string) => (Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined) };

test('every way of hashing reads its own variable', () => {
  const cases: readonly (readonly [HashRule, string])[] = [
    [{ on: 'vars', key: 'uri' }, '/a'],
    [{ on: 'vars', key: 'remote_port' }, '7'],
    [{ on: 'header', key: 'X-User' }, 'ann'],
    [{ on: 'cookie', key: 'sid' }, 'c1'],
    [{ on: 'consumer', key: '' }, 'jack'],
    [{ on: 'vars_combinations', key: '$uri-$http_x_user' }, '/a-ann'],
  ];
  for (const [rule, text] of cases) assert.equal(compileHashKey(rule)(request), textHash(text), rule.on);
});

test('without a value the client’s address is hashed', () => {
  const rules: readonly HashRule[] = [
    { on: 'vars', key: 'arg_none' },
    { on: 'vars', key: 'arg_empty' },
    { on: 'header', key: 'X-None' },
    { on: 'vars_combinations', key: 'no variable' },
    { on: 'vars_combinations', key: '$arg_none' },
  ];
  for (const rule of rules) assert.equal(compileHashKey(rule)(request), textHash('10.1.2.3'), rule.key);
  assert.equal(compileHashKey({ on: 'consumer', key: '' })({ variable: () => undefined }), textHash(''));
});
