import assert from 'node:assert/strict';
import test from 'node:test';
import { checkPathPattern, matchPathPattern, parsePathPattern } from './path-pattern.ts';

function valuesOf(pattern: string, path: string): Record<string, string> | undefined {
  const values = matchPathPattern(parsePathPattern(pattern), path);
  return values === undefined ? undefined : Object.fromEntries(values);
}

test('a parameter stands for one segment, a wildcard for all that follow', () => {
  assert.deepEqual(valuesOf('/user/:name', '/user/jack'), { name: 'jack' });
  assert.deepEqual(valuesOf('/user/:name/*rest', '/user/jack/a/b'), { name: 'jack', rest: 'a/b' });
  assert.deepEqual(valuesOf('/user/:name/*rest', '/user/jack/'), { name: 'jack', rest: '' });
  assert.deepEqual(valuesOf('/:a/x/:b', '/1/x/2'), { a: '1', b: '2' });
  for (const path of ['/user/', '/user', '/user/jack/', '/user/jack/x', '/users/jack'])
    assert.equal(valuesOf('/user/:name', path), undefined);
  for (const path of ['/user/jack', '/user//', '/user/']) assert.equal(valuesOf('/user/:name/*rest', path), undefined);
});

test('a wildcard at the end may stand inside of a segment, and one that is a segment gives what it stands for a name', () => {
  assert.deepEqual(valuesOf('/foo*', '/foobar/x'), {});
  assert.deepEqual(valuesOf('/foo/*', '/foo/bar/x'), { ':ext': 'bar/x' });
  assert.deepEqual(valuesOf('/foo/*path', '/foo/'), { path: '' });
  assert.deepEqual(valuesOf('/:a/foo*', '/1/foobar/x'), { a: '1' });
  assert.equal(valuesOf('/:a/foo*', '/1/fo'), undefined);
});

test('a wildcard before the end takes one segment or more, as many as it can', () => {
  assert.deepEqual(valuesOf('/a/*/b', '/a/x/b'), { ':ext': 'x' });
  assert.deepEqual(valuesOf('/a/*mid/b', '/a/x/b/y/b'), { mid: 'x/b/y' });
  assert.deepEqual(valuesOf('/:first/*mid/:last/', '/1/2/3/4/'), { first: '1', mid: '2/3', last: '4' });
  for (const path of ['/a/b', '/a//b', '/a/x/c', '/a/xb', '/b']) assert.equal(valuesOf('/a/*/b', path), undefined, path);
  assert.equal(valuesOf('/*/b', '/b'), undefined);
});

test('names and texts are compared by their UTF-8 bytes, and a colon inside of a segment is a character', () => {
  assert.deepEqual(valuesOf('/\u00e9/:\u00e9', '/\xc3\xa9/1'), { '\xc3\xa9': '1' });
  assert.deepEqual(valuesOf('/v1/users:batch', '/v1/users:batch'), {});
  assert.equal(valuesOf('/v1/users:batch', '/v1/users7'), undefined);
});

test('names of object members are names like others', () => {
  assert.deepEqual(
    [...(matchPathPattern(parsePathPattern('/:__proto__/:constructor'), '/a/b') ?? [])],
    [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ],
  );
});

test('a long path is matched in one pass', () => {
  const path = `/a${'/x'.repeat(500_000)}/b`;
  assert.equal(valuesOf('/a/*mid/:last', path)?.mid?.length, 999_999);
  assert.equal(valuesOf('/a/*mid/x/x/x/c', path), undefined);
});

test('what has no meaning is told apart', () => {
  for (const path of ['/', '/a', '/a*', '/*', '/a/*', '/:a', '/:a/*b', '/a/*/b', '/a/:b/c*', '/x:y', '/*a/:b'])
    assert.equal(checkPathPattern(path), undefined, path);
  assert.equal(checkPathPattern('/:'), 'a parameter needs a name, as in /:name');
  assert.equal(checkPathPattern('/a/:/b'), 'a parameter needs a name, as in /:name');
  assert.equal(checkPathPattern('/:id*'), 'the parameter :id* has a wildcard in it');
  assert.equal(checkPathPattern('/:a/:a'), 'two parameters of a path have the same name');
  assert.equal(checkPathPattern('/:a/*a'), 'two parameters of a path have the same name');
  for (const path of ['/a*b', '/a*/b', '/a/b*c/d']) assert.match(checkPathPattern(path) ?? '', /^a wildcard stands at the end/, path);
  for (const path of ['/**', '/*/*', '/*a/*b', '/*/a*']) assert.equal(checkPathPattern(path), 'a path has one wildcard at most', path);
});
