import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { expiryMs, findClaimProblem, type TimeClaim } from './find-claim-problem.ts';

const NOW_S = 1_800_000_000;

function problemOf(payload: JsonObject, claimsToVerify: readonly TimeClaim[] = [], gracePeriodS = 0, nowS = NOW_S): string | undefined {
  return findClaimProblem(payload, { claimsToVerify, gracePeriodS, nowS });
}

test('without a list, claims that are there must hold and none must be there', () => {
  assert.equal(problemOf({}), undefined);
  assert.equal(problemOf({ exp: NOW_S + 1 }), undefined);
  assert.equal(problemOf({ nbf: NOW_S - 1 }), undefined);
  assert.equal(problemOf({ exp: NOW_S + 1, nbf: NOW_S - 1 }), undefined);
  assert.equal(problemOf({ exp: NOW_S }), 'claim exp has passed');
  assert.equal(problemOf({ nbf: NOW_S }), 'claim nbf lies ahead');
  assert.equal(problemOf({ exp: NOW_S + 1, nbf: NOW_S + 1 }), 'claim nbf lies ahead');
  assert.equal(problemOf({ exp: 0, nbf: 0 }), 'claim exp has passed');
});

test('listed claims must be there, and no others are looked at', () => {
  assert.equal(problemOf({}, ['exp']), 'claim exp is missing');
  assert.equal(problemOf({ nbf: NOW_S - 1 }, ['exp']), 'claim exp is missing');
  assert.equal(problemOf({ exp: NOW_S + 1, nbf: NOW_S + 1 }, ['exp']), undefined);
  assert.equal(problemOf({ exp: NOW_S - 1, nbf: NOW_S - 1 }, ['nbf']), undefined);
  assert.equal(problemOf({ exp: NOW_S + 1 }, ['exp', 'nbf']), 'claim nbf is missing');
  assert.equal(problemOf({ exp: NOW_S + 1, nbf: NOW_S - 1 }, ['nbf', 'exp']), undefined);
});

test('the grace period widens both ends, by seconds', () => {
  assert.equal(problemOf({ exp: NOW_S - 9 }, [], 10), undefined);
  assert.equal(problemOf({ exp: NOW_S - 10 }, [], 10), 'claim exp has passed');
  assert.equal(problemOf({ nbf: NOW_S + 9 }, [], 10), undefined);
  assert.equal(problemOf({ nbf: NOW_S + 10 }, [], 10), 'claim nbf lies ahead');
});

test('fractions of a second count on both sides', () => {
  assert.equal(problemOf({ nbf: NOW_S }, [], 0, NOW_S + 0.001), undefined);
  assert.equal(problemOf({ exp: NOW_S + 0.5 }, [], 0, NOW_S + 0.4), undefined);
  assert.equal(problemOf({ exp: NOW_S + 0.5 }, [], 0, NOW_S + 0.6), 'claim exp has passed');
});

test('a claim that is no number never holds', () => {
  for (const claim of [null, true, false, '', `${NOW_S + 9}`, [NOW_S + 9], { value: NOW_S }]) {
    assert.equal(problemOf({ exp: claim }), 'claim exp is not a number');
    assert.equal(problemOf({ nbf: claim }), 'claim nbf is not a number');
  }
  assert.equal(problemOf(JSON.parse('{"exp":1e999}')), 'claim exp is not a number');
  assert.equal(problemOf(JSON.parse('{"nbf":-1e999}')), 'claim nbf is not a number');
  assert.equal(problemOf(JSON.parse(`{"__proto__":{"exp":1}}`)), undefined);
});

test('a payload is valid until exp and the grace period have passed, if exp is looked at', () => {
  const until = (payload: JsonObject, claimsToVerify: readonly TimeClaim[] = []) => expiryMs(payload, { claimsToVerify, gracePeriodS: 5 });
  assert.equal(until({ exp: NOW_S }), (NOW_S + 5) * 1000);
  assert.equal(until({ exp: NOW_S }, ['exp']), (NOW_S + 5) * 1000);
  assert.equal(until({ exp: NOW_S, nbf: 1 }, ['nbf']), Number.POSITIVE_INFINITY);
  assert.equal(until({}), Number.POSITIVE_INFINITY);
});
