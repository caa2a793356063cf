import { test } from 'node:test';
import fc from 'fast-check';
import { hpackProperties } from '../../testing/hpack-properties.ts';

for (const { name, property, runs } of hpackProperties)
  test(`as the reference decoder reads: ${name}`, () => fc.assert(property, { numRuns: runs }));
