import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripPathPrefix } from './strip-path-prefix.ts';

test('the prefix goes and the rest stays byte for byte', () => {
  const cases: ReadonlyArray<readonly [path: string, prefix: string, left: string]> = [
    ['/api/users', '/api', '/users'],
    ['/api/users', '/api/', '/users'],
    ['/api', '/api', '/'],
    ['/api/', '/api', '/'],
    ['/api/a%2Fb%20c', '/api', '/a%2Fb%20c'],
    ['/%61pi/x', '/api', '/x'],
    ['/caf%C3%A9/x', '/café', '/x'],
    ['/caf\xc3\xa9/x', '/café', '/x'],
    ['/a%20b/x', '/a b', '/x'],
    ['/a/b', '/', '/a/b'],
    ['/', '/', '/'],
    ['/a/b/c', '/a/b', '/c'],
  ];
  for (const [path, prefix, left] of cases) assert.equal(stripPathPrefix(path, prefix), left, `${path} without ${prefix}`);
});

test('a path that does not lie under the prefix stays as it is', () => {
  for (const path of ['/apis/x', '/ap', '/', '/other/api/x', '/API/x', '/a%2Fpi/x']) assert.equal(stripPathPrefix(path, '/api'), path);
  assert.equal(stripPathPrefix('/a%2Fb/x', '/a/b'), '/a%2Fb/x');
});
