import assert from 'node:assert/strict';
import test from 'node:test';
import { systemRandom } from '../../lib/random.ts';
import { RequestIds } from './request-id.ts';

test('request ids are 32 hexadecimal digits and all different', () => {
  const ids = new RequestIds(systemRandom);
  const seen = new Set<string>();
  for (let index = 0; index < 1000; index++) {
    const id = ids.next();
    assert.match(id, /^[0-9a-f]{32}$/);
    seen.add(id);
  }
  assert.equal(seen.size, 1000);
});

test('two workers never share an id', () => {
  const first = new RequestIds(systemRandom).next();
  const second = new RequestIds(systemRandom).next();
  assert.notEqual(first.slice(0, 20), second.slice(0, 20));
});
