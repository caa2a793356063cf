import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsCoding } from './accepts-coding.ts';

test('a coding is accepted by its name or by a star, with a weight above nothing', () => {
  for (const [value, gzip, br] of [
    ['gzip', true, false],
    ['br', false, true],
    ['*', true, true],
    ['gzip, deflate, br', true, true],
    ['GZIP', true, false],
    ['gzip;q=1', true, false],
    ['gzip; q=0.001', true, false],
    ['gzip;Q=0.5', true, false],
    ['gzip;q=0', false, false],
    ['gzip;q=0.000 , br', false, true],
    ['gzip;q=0, *', false, true],
    ['*, br;q=0', true, false],
    ['*;q=0', false, false],
    ['identity', false, false],
    ['identity;q=1, gzip;q=0.1', true, false],
    ['x-gzip', false, false],
    ['gzipped', false, false],
    ['', false, false],
    [',,gzip,,', true, false],
    ['gzip;q=', false, false],
    ['gzip;q=2', false, false],
    ['gzip;q=0.1234', false, false],
    ['gzip;level=9', false, false],
    ['deflate, gzip;q=1.0, *;q=0.5', true, true],
  ] as const) {
    assert.equal(acceptsCoding([value], 'gzip'), gzip, `gzip in ${value}`);
    assert.equal(acceptsCoding([value], 'br'), br, `br in ${value}`);
  }
});

test('several header lines are one list, and none accepts nothing', () => {
  assert.equal(acceptsCoding(['deflate', 'br;q=0.5'], 'br'), true);
  assert.equal(acceptsCoding([], 'gzip'), false);
});
