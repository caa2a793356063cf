import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinSecrets, splitSecrets } from './secret-fields.ts';

test('a split document holds none of its secrets and keeps the order of its keys', () => {
  const split = splitSecrets({ b: 'one', a: { 'x/y': 'two', '~': 'three' } }, ['/b', '/a/x~1y', '/a/~0']);
  assert.equal(split.text, '{"b":null,"a":{"x/y":null,"~":null}}');
  assert.equal(split.publicText, '{"a":{}}');
  assert.deepEqual(split.secrets, [
    { pointer: '/b', json: '"one"' },
    { pointer: '/a/x~1y', json: '"two"' },
    { pointer: '/a/~0', json: '"three"' },
  ]);
});

test('a document without secrets to take out is its own public text', () => {
  const split = splitSecrets({ a: 1 }, []);
  assert.deepEqual(split, { text: '{"a":1}', publicText: '{"a":1}', secrets: [] });
});

test('secrets of any type, in arrays and within each other come back', () => {
  const document = { list: ['a', { key: 'b' }, 3], outer: { inner: 's', rest: true }, none: null };
  for (const pointers of [
    ['/list/1/key', '/list/1', '/list/2'],
    ['/outer/inner', '/outer'],
    ['/outer', '/outer/inner'],
    ['/none', '/none'],
  ]) {
    const split = splitSecrets(document, pointers);
    assert.equal(JSON.stringify(joinSecrets(split.text, split.secrets)), JSON.stringify(document));
  }
});

test('elements left out of an array do not take others along', () => {
  const { text } = splitSecrets({ list: ['a', 's', 'b', 't', 'c'] }, ['/list/1', '/list/3']);
  assert.deepEqual(joinSecrets(text, [], ['/list/1', '/list/3']), { list: ['a', 'b', 'c'] });
});

test('some secrets come back while others are left out, within each other too', () => {
  const document = { a: 'one', outer: { inner: 's', rest: true }, list: ['x', 'y', 'z'] };
  const split = splitSecrets(document, ['/a', '/outer/inner', '/outer', '/list/0', '/list/2']);
  const only = (...pointers: readonly string[]) =>
    joinSecrets(
      split.text,
      split.secrets.filter(({ pointer }) => pointers.includes(pointer)),
      split.secrets.flatMap(({ pointer }) => (pointers.includes(pointer) ? [] : [pointer])),
    );
  assert.deepEqual(only('/outer', '/list/2'), { outer: { rest: true }, list: ['y', 'z'] });
  assert.deepEqual(only('/a', '/outer/inner'), { a: 'one', list: ['y'] });
  assert.deepEqual(only(), { list: ['y'] });
});

test('pointers that lead to nothing or to what a document inherits are passed over', () => {
  const document = JSON.parse('{"__proto__":{"polluted":"own"},"list":["a"],"text":"abc"}');
  const nowhere = ['/constructor/name', '/toString', '/list/01', '/list/-1', '/list/1', '/list/length', '/text/0', '/none/deeper'];
  assert.deepEqual(splitSecrets(document, nowhere).secrets, []);
  const split = splitSecrets(document, ['/__proto__/polluted']);
  assert.equal(split.text, '{"__proto__":{"polluted":null},"list":["a"],"text":"abc"}');
  assert.equal(JSON.stringify(joinSecrets(split.text, split.secrets)), JSON.stringify(document));
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('a text that is no pointer is a mistake of the program', () => {
  for (const pointer of ['', 'a', 'a/b']) assert.throws(() => splitSecrets({ a: 'x' }, [pointer]), TypeError);
});
