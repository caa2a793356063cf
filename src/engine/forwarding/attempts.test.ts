import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import { AFTER_FAILURE, Attempts } from './attempts.ts';

const REASONS = Object.keys(ERROR_CODES) as ErrorReason[];

test('whatever the failure, nothing is sent once more of which not all is still there', () => {
  for (const idempotent of [true, false]) {
    for (const reason of REASONS) {
      const attempts = new Attempts();
      attempts.begin(idempotent);
      for (const reused of [true, false]) assert.equal(attempts.after(reason, reused, false), AFTER_FAILURE.nothing, reason);
    }
  }
});

test('where nothing was sent another target is asked, and where something may have been only for an idempotent request', () => {
  for (const reason of REASONS) {
    const { retry } = ERROR_CODES[reason];
    for (const idempotent of [true, false]) {
      const attempts = new Attempts();
      attempts.begin(idempotent);
      const goesOn = retry === 'yes' || (retry === 'idempotent-only' && idempotent);
      assert.equal(attempts.after(reason, false, true), goesOn ? AFTER_FAILURE.nextTarget : AFTER_FAILURE.nothing, reason);
    }
  }
});

test('a kept connection that closed under an idempotent request is replaced once, by one to the same target', () => {
  const attempts = new Attempts();
  attempts.begin(true);
  assert.equal(attempts.after('upstream_closed', true, true), AFTER_FAILURE.sameTarget);
  assert.equal(attempts.after('upstream_closed', true, true), AFTER_FAILURE.nextTarget);
});
