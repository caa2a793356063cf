import { test } from 'node:test';
import fc from 'fast-check';
import { anyDecision } from '../testing/decision-property.ts';

test('whatever is decided about a request, and when, its body is no request and the next one is', async () => {
  await fc.assert(anyDecision, { numRuns: 300 });
});
