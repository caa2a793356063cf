import { test } from 'node:test';
import fc from 'fast-check';
import { requestRoundTrips } from './testing/request-round-trips.ts';
import { responseRoundTrips } from './testing/response-round-trips.ts';

for (const { name, runs, start } of requestRoundTrips) {
  test(`${name} on one connection: the upstream gets what the reference parser says, and the next request its own answer`, async (t) => {
    await fc.assert(await start(t), { numRuns: runs });
  });
}

for (const { name, runs, start } of responseRoundTrips) {
  test(`${name}: the client gets what the reference parser says or a failure, and the next client its own answer`, async (t) => {
    await fc.assert(await start(t), { numRuns: runs });
  });
}
