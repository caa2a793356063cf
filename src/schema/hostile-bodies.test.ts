import assert from 'node:assert/strict';
import test from 'node:test';
import { formatIssues, type ResourceKindName, resourceKind, validateDocument } from './index.ts';

function errorOf(kind: ResourceKindName, body: unknown): string {
  const validation = validateDocument(resourceKind(kind), body);
  return validation.ok ? '' : formatIssues(validation.issues);
}

test('names and descriptions may have 65,536 characters, counted as code points', () => {
  for (const character of ['a', 'ä', '😀']) {
    const longest = character.repeat(65_536);
    assert.equal(errorOf('service', { name: longest, desc: longest }), '');
    assert.equal(
      errorOf('service', { name: `${longest}a`, desc: `${longest}a` }),
      'Error at "/name": maximum string length is 65536; Error at "/desc": maximum string length is 65536',
    );
  }
});

test('names that mean something to JavaScript objects are refused as labels and plugins, and no prototype changes', () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    for (const field of ['labels', 'plugins']) {
      const body: unknown = JSON.parse(`{"username":"jack","${field}":{"${name}":${field === 'labels' ? '"x"' : '{}'}}}`);
      assert.equal(errorOf('consumer', body), `Error at "/${field}/${name}": this name is not allowed`);
    }
  }
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('a field called __proto__ is refused at any depth', () => {
  const body: unknown = JSON.parse('{"username":"jack","extra":[{"__proto__":{"polluted":true}}],"__proto__":{"polluted":true}}');
  assert.equal(
    errorOf('consumer', body),
    'Error at "/extra/0/__proto__": this name is not allowed; Error at "/__proto__": this name is not allowed',
  );
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('an inherited property is never taken for a field of the body', () => {
  assert.equal(errorOf('service', Object.create({ name: 'inherited' })), 'Error at "/name": property "name" is missing');
});

test('a body nested without end is refused quickly and does not overflow the stack', () => {
  const depth = 200_000;
  const arrays: unknown = JSON.parse(`{"name":"s","extra":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  const objects: unknown = JSON.parse(`{"name":"s","plugins":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`);
  for (const body of [arrays, objects])
    assert.equal(errorOf('service', body), 'Error at "": the document is nested more than 64 levels deep');
  assert.equal(errorOf('service', JSON.parse(`{"name":"s","extra":${'['.repeat(62)}${']'.repeat(62)}}`)), '');
});

test('a fault in each of a hundred thousand elements gives a short answer', () => {
  const error = errorOf('route', { name: 'r', service_id: 's', paths: Array.from({ length: 100_000 }, () => 1) });
  assert.equal(error, 'Error at "/paths": maximum number of items is 64');
  const many = errorOf('route', { name: 'r', service_id: 's', paths: Array.from({ length: 60 }, () => 1) });
  assert.ok(many.endsWith('; and 40 more'), many);
});

test('a very long field name is cut in the answer', () => {
  const error = errorOf('consumer', { username: 'jack', labels: { ['x'.repeat(1_000_000)]: 1 } });
  assert.equal(error, `Error at "/labels/${'x'.repeat(128)}…": value must be a string`);
});

test('no value of the body stands in an error', () => {
  const secret = 'do-not-print-me';
  const bodies: readonly (readonly [ResourceKindName, unknown])[] = [
    ['service', { name: 's', type: secret, path_prefix: secret, hosts: [`${secret}!`], upstream: { scheme: secret, nodes: secret } }],
    ['service', { name: 's', upstream: { nodes: [{ host: `${secret}!`, port: secret, weight: secret }] } }],
    ['route', { name: 'r', service_id: `${secret}!`, paths: secret, methods: [secret] }],
    ['consumer', { username: `${secret}!`, labels: { custom_id: `${secret}\u0000` } }],
    ['credential', { plugins: secret }],
  ];
  for (const [kind, body] of bodies) {
    const error = errorOf(kind, body);
    assert.notEqual(error, '');
    assert.equal(error.includes(secret), false, error);
  }
});

test('a number that JSON text cannot hold is refused', () => {
  assert.equal(errorOf('consumer', JSON.parse('{"username":"jack","extra":1e999}')), 'Error at "/extra": number is out of range');
});

test('a document of more values than anybody configures is refused, however they are arranged', () => {
  const values = (count: number) => Array.from({ length: count }, () => 0);
  assert.equal(errorOf('consumer', { username: 'jack', list: values(199_990) }), '');
  for (const more of [{ list: values(200_000) }, Object.fromEntries(values(200_000).map((value, index) => [`f${index}`, value]))]) {
    assert.equal(errorOf('consumer', { username: 'jack', ...more }), 'Error at "": the document has more than 200000 values');
  }
});
