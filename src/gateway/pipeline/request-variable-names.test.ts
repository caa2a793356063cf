import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VARIABLE_NAMES } from '../../plugin-kit/index.ts';
import { fixedVariableNames } from './request-variable.ts';

test('the variables that are listed for writers of configurations are those that the gateway knows', () => {
  assert.deepEqual(VARIABLE_NAMES.toSorted(), fixedVariableNames().toSorted());
});
