import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostOfHeader } from './host-of-header.ts';
import { joinPathPrefix } from './join-path-prefix.ts';

test('the host is what is left without port, brackets and a trailing dot, in lower case', () => {
  const cases: ReadonlyArray<readonly [value: string, host: string]> = [
    ['example.com', 'example.com'],
    ['Example.COM:9080', 'example.com'],
    ['example.com.', 'example.com'],
    ['example.com.:80', 'example.com'],
    ['example.com..', 'example.com.'],
    ['127.0.0.1:9080', '127.0.0.1'],
    ['[::1]', '::1'],
    ['[2001:DB8::1]:9443', '2001:db8::1'],
    ['[::1', '::1'],
    ['', ''],
    [':80', ''],
    ['.', '.'],
  ];
  for (const [value, host] of cases) {
    const bytes = Buffer.from(`Host: ${value}\r\nOther: [x]:y\r\n`);
    assert.equal(hostOfHeader(bytes, 6, 6 + value.length), host, value);
  }
});

test('a prefix and a path are joined by exactly one slash', () => {
  const cases: ReadonlyArray<readonly [prefix: string | undefined, path: string, joined: string]> = [
    [undefined, '/users', '/users'],
    ['', '/users', '/users'],
    ['/', '/users', '/users'],
    ['/api', '/users/*', '/api/users/*'],
    ['/api/', '/users', '/api/users'],
    ['/api//', '/', '/api/'],
    ['/api', 'users', '/api/users'],
    ['/api', '*', '/api/*'],
    [undefined, '*', '/*'],
    ['/', '/*', '/*'],
  ];
  for (const [prefix, path, joined] of cases) assert.equal(joinPathPrefix(prefix, path), joined, `${prefix} ${path}`);
});
