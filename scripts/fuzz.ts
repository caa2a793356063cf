import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { Cleanup } from '../src/engine/testing/cleanup.ts';
import { runCrossTalk } from '../src/engine/testing/cross-talk.ts';
import { anyDecision } from '../src/engine/testing/decision-property.ts';
import { answersInDrain } from '../src/engine/testing/drain-property.ts';
import { hpackProperties } from '../src/engine/testing/hpack-properties.ts';
import { runHttp2Fuzz } from '../src/engine/testing/http2-fuzz/run-http2-fuzz.ts';
import { requestAgainstLlhttp, responseAgainstLlhttp } from '../src/engine/testing/llhttp-properties.ts';
import { parserProperties } from '../src/engine/testing/parser-properties.ts';
import { requestRoundTrips } from '../src/engine/testing/request-round-trips.ts';
import { responseRoundTrips } from '../src/engine/testing/response-round-trips.ts';
import { CleanupStack } from '../test-support/cleanup-stack.ts';

/**
 * What the tests of the engine try a little, for as long as one likes: `npm run fuzz -- --seconds 60 --seed 1 --only llhttp`.
 * Every target gets the same share of the time; a run of `round trip`, `decision`, `cross-talk` or `hostile` is ended, not cut. Ends with status 1 and the shortest
 * counterexample at the first failure; the seed printed repeats the run.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string', default: '' },
    clients: { type: 'string', default: '500' },
  },
});

const targets = [
  ...parserProperties.map(({ name, property }) => ({ name: `reference: ${name}`, run: () => checkProperty(property) })),
  ...hpackProperties.map(({ name, property }) => ({ name: `HPACK: ${name}`, run: () => checkProperty(property) })),
  { name: 'llhttp: requests', run: () => checkProperty(requestAgainstLlhttp) },
  { name: 'llhttp: responses', run: () => checkProperty(responseAgainstLlhttp) },
  ...[...requestRoundTrips, ...responseRoundTrips].map(({ name, start }) => ({ name: `round trip: ${name}`, run: () => checkLive(start) })),
  { name: 'decision: any, at any time', run: () => checkLive(async () => anyDecision) },
  { name: 'drain: pipelined requests', run: () => checkProperty(answersInDrain) },
  ...(['documented', 'onread', 'handle'] as const).map((transport) => ({
    name: `cross-talk: ${transport}`,
    run: () => crossTalk(transport, false),
  })),
  { name: 'cross-talk: TLS', run: () => crossTalk('documented', true) },
  { name: 'hostile HTTP/2: in clear', run: () => hostileHttp2(false) },
  { name: 'hostile HTTP/2: TLS', run: () => hostileHttp2(true) },
].filter(({ name }) => name.includes(values.only));

const seed = Number(values.seed);
const shareMs = (Number(values.seconds) * 1000) / Math.max(1, targets.length);
console.log(`seed ${seed}, ${targets.length} targets, ${Math.round(shareMs)} ms each`);

for (const { name, run } of targets) {
  const runs = await run();
  console.log(`${String(runs).padStart(9)} runs  ${name}`);
}

async function checkProperty<Input>(property: fc.IRawProperty<Input>): Promise<number> {
  const limits = { seed, numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: shareMs, markInterruptAsFailure: false };
  const details = await fc.check(property, limits);
  if (details.failed) fail(fc.defaultReportMessage(details));
  return details.numRuns;
}

/** Batches of 100 runs, each with an engine of its own; none is cut, for that an answer is lost shows only when the wait for it is over. */
async function checkLive<Input>(start: (end: Cleanup) => Promise<fc.IRawProperty<Input>>): Promise<number> {
  const end = performance.now() + shareMs;
  let runs = 0;
  for (let batch = 0; batch === 0 || performance.now() < end; batch++) {
    const own = new CleanupStack();
    const property = await start(own);
    const details = await fc.check(property, { seed: seed + batch, numRuns: 100 });
    await own.close();
    if (details.failed) fail(fc.defaultReportMessage(details));
    runs += details.numRuns;
  }
  return runs;
}

async function crossTalk(transport: 'documented' | 'onread' | 'handle', encrypted: boolean): Promise<number> {
  const end = performance.now() + shareMs;
  let runs = 0;
  while (runs === 0 || performance.now() < end) {
    const options = {
      seed: seed + runs,
      clients: Number(values.clients),
      requestsPerClient: 5,
      largestBytes: 400_000,
      transport,
      encrypted,
    };
    const { foreign, failures, exchangesInFlight } = await runCrossTalk(options);
    if (foreign.length + failures.length + exchangesInFlight > 0)
      fail(JSON.stringify({ options, foreign, failures, exchangesInFlight }, null, 2));
    runs++;
  }
  return runs;
}

/** Runs of 30 connections, ten at once; returns how many calls were made. */
async function hostileHttp2(encrypted: boolean): Promise<number> {
  const end = performance.now() + shareMs;
  let calls = 0;
  for (let run = 0; run === 0 || performance.now() < end; run++) {
    const options = { seed: seed + run, connections: 30, atOnce: 10, callsPerConnection: 60, largestBytes: 300_000, encrypted };
    const { problems, failures, exchangesInFlight, calls: made } = await runHttp2Fuzz(options);
    if (problems.length + failures.length + exchangesInFlight > 0)
      fail(JSON.stringify({ options, problems, failures, exchangesInFlight }, null, 2));
    calls += made;
  }
  return calls;
}

function fail(text: string | undefined): never {
  console.error(text);
  process.exit(1);
}
