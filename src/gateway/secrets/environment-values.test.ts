import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnvironmentValues } from './environment-values.ts';

const ENVIRONMENT = {
  KEY: 'value',
  EMPTY: '',
  JSON: '{"a":"x","b":7,"c":{"d":1},"e":null}',
  PGPASSWORD: 'secret',
  PG: 'secret',
  DATABASE_URL: 'secret',
  REDIS_URL: 'secret',
  NODE_OPTIONS: 'secret',
  AWS_SECRET_ACCESS_KEY: 'secret',
  PORTCULLIS_ADMIN_PASSWORD: 'secret',
  MY_DATABASE_URL: 'mine',
};

test('a variable is its text, or a field of its JSON object where that is a text', () => {
  const values = new EnvironmentValues(ENVIRONMENT, []);
  assert.deepEqual(
    [values.valueOf('KEY', undefined), values.valueOf('EMPTY', undefined), values.valueOf('MISSING', undefined)],
    ['value', '', undefined],
  );
  assert.deepEqual(
    ['a', 'b', 'c', 'e', 'toString', '__proto__'].map((key) => values.valueOf('JSON', key)),
    ['x', '7', undefined, undefined, undefined, undefined],
  );
  assert.deepEqual([values.valueOf('KEY', 'a'), values.valueOf('toString', undefined)], [undefined, undefined]);
});

test('variables of the product, its databases, Node.js and AWS are not seen unless the instance opens their very names', () => {
  const withheld = Object.keys(ENVIRONMENT).filter((name) => ENVIRONMENT[name as keyof typeof ENVIRONMENT] === 'secret');
  assert.equal(withheld.length, 7);
  const closed = new EnvironmentValues(ENVIRONMENT, []);
  for (const name of withheld) assert.equal(closed.valueOf(name, undefined), undefined, name);
  assert.equal(closed.valueOf('MY_DATABASE_URL', undefined), 'mine');
  const opened = new EnvironmentValues(ENVIRONMENT, ['PGPASSWORD']);
  assert.deepEqual([opened.valueOf('PGPASSWORD', undefined), opened.valueOf('PG', undefined)], ['secret', undefined]);
});
