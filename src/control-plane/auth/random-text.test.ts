import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../lib/random.ts';
import { randomId, randomPassword, randomToken } from './random-text.ts';

test('tokens, passwords and ids have their shape and do not repeat', () => {
  const seen = new Set<string>();
  for (let round = 0; round < 500; round += 1) {
    const token = randomToken(systemRandom);
    const password = randomPassword(systemRandom);
    const id = randomId(systemRandom);
    assert.match(token, /^a7ee-[0-9A-Za-z]{43}$/);
    assert.match(password, /^[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){4}$/);
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    seen.add(token).add(password).add(id);
  }
  assert.equal(seen.size, 1_500);
});

test('bytes that would favour some characters are left out', () => {
  // 248 and above would wrap around to the first characters of the 62.
  const bytes = [255, 248, 61, 0];
  const random = {
    bytes: (length: number) => Buffer.from(Array.from({ length }, () => bytes[0] ?? 0)).map(() => bytes.shift() ?? 1) as Buffer,
  };
  assert.equal(randomToken(random), `a7ee-z0${'1'.repeat(41)}`);
});
