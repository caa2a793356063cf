import assert from 'node:assert/strict';
import test from 'node:test';
import { systemRandom } from '../../lib/random.ts';
import { REQUEST_ID_LENGTH, RequestIds } from './request-id.ts';

function idsOf(ids: RequestIds): () => string {
  const target = Buffer.alloc(REQUEST_ID_LENGTH);
  return () => {
    ids.next(target);
    return target.toString('latin1');
  };
}

test('request ids are 32 hexadecimal digits and all different', () => {
  const ids = new RequestIds(systemRandom);
  const next = idsOf(ids);
  const seen = new Set<string>();
  for (let index = 0; index < 5000; index++) {
    const id = next();
    assert.match(id, /^[0-9a-f]{32}$/);
    seen.add(id);
  }
  assert.equal(seen.size, 5000);
});

test('two workers never share an id', () => {
  const first = idsOf(new RequestIds(systemRandom))();
  const second = idsOf(new RequestIds(systemRandom))();
  assert.notEqual(first.slice(0, 20), second.slice(0, 20));
});
