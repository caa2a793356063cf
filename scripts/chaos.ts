import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ChaosResult } from '../e2e/chaos/chaos-tally.ts';

// Run as: chaos.ts [--rounds N] [--scenario NAME,NAME] [--seed S] [--minutes M] [--list]
// Runs the scenarios of e2e/chaos one after the other, each in a process of its own, and writes bench/results/chaos.json.
const FOLDER = fileURLToPath(new URL('../e2e/chaos/', import.meta.url));
const RESULT_FILE = fileURLToPath(new URL('../bench/results/chaos.json', import.meta.url));
const SUFFIX = '.test.ts';
/** Of a scenario that has not run here before. */
const USUAL_ROUND_SECONDS = 15;
/** What a scenario that is told to end may take for it. */
const END_MS = 60_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    scenario: { type: 'string' },
    seed: { type: 'string' },
    minutes: { type: 'string', default: '360' },
    list: { type: 'boolean', default: false },
  },
});
const scenarios = readdirSync(FOLDER)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));
if (values.list) {
  process.stdout.write(`${scenarios.join('\n')}\n`);
} else {
  process.exitCode = await runAll(chosenScenarios(), {
    rounds: wholeNumber('rounds', values.rounds),
    seed: seedOf(values.seed),
    minutes: wholeNumber('minutes', values.minutes),
  });
}

function chosenScenarios(): readonly string[] {
  const names = values.scenario?.split(',') ?? scenarios;
  const unknown = names.find((name) => !scenarios.includes(name));
  if (unknown !== undefined) throw new RangeError(`there is no scenario ${unknown}; there are ${scenarios.join(', ')}`);
  return names;
}

function seedOf(text: string | undefined): number {
  return text === undefined ? randomInt(2 ** 32) : wholeNumber('seed', text);
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new RangeError(`--${name} must be a whole number`);
  return Number(text);
}

async function runAll(
  names: readonly string[],
  { rounds, seed, minutes }: { readonly rounds: number; readonly seed: number; readonly minutes: number },
): Promise<number> {
  const startedAt = new Date().toISOString();
  const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-chaos-'));
  const ending = new AbortController();
  const overTime = setTimeout(() => ending.abort(), minutes * 60_000);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  const results: ChaosResult[] = [];
  const estimate = Math.ceil(estimatedSeconds(names, rounds) / 60);
  process.stdout.write(
    `seed ${seed}, ${rounds} rounds of ${names.length} scenarios: about ${estimate} minutes; ended after ${minutes} at the latest\n`,
  );
  try {
    for (const name of names) {
      if (ending.signal.aborted) break;
      const file = path.join(folder, `${name}.json`);
      await runScenario(name, { rounds, seed, file }, ending.signal);
      const result = readResult(name, file);
      results.push(result);
      mkdirSync(path.dirname(RESULT_FILE), { recursive: true });
      writeFileSync(RESULT_FILE, `${JSON.stringify({ startedAt, seed, rounds, node: process.version, results }, undefined, 2)}\n`);
    }
  } finally {
    clearTimeout(overTime);
    rmSync(folder, { recursive: true, force: true });
  }
  const notRun = names.slice(results.length);
  if (notRun.length > 0) process.stdout.write(`\nnot run: ${notRun.join(', ')}\n`);
  const failed = results.filter(({ failure }) => failure !== undefined).map(({ scenario }) => scenario);
  process.stdout.write(`\n${results.length - failed.length} of ${names.length} scenarios held; ${RESULT_FILE}\n`);
  if (failed.length > 0) process.stdout.write(`failed: ${failed.join(', ')}; again with --seed ${seed}\n`);
  return ending.signal.aborted ? 130 : Number(failed.length > 0);
}

/** In a process group of its own: a Ctrl-C in the terminal reaches this process alone, which tells the scenario, which ends what it started. */
function runScenario(
  name: string,
  options: { readonly rounds: number; readonly seed: number; readonly file: string },
  ending: AbortSignal,
): Promise<void> {
  // A scenario that failed because something hangs ends all the same.
  const child = spawn(process.execPath, ['--test-force-exit', path.join(FOLDER, `${name}${SUFFIX}`)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      PORTCULLIS_CHAOS_ROUNDS: String(options.rounds),
      PORTCULLIS_CHAOS_SEED: String(options.seed),
      PORTCULLIS_CHAOS_RESULT: options.file,
      PORTCULLIS_CHAOS_THOROUGH: '1',
    },
  });
  let patience: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    // What it has started ends with it.
    patience = setTimeout(() => child.kill('SIGKILL'), END_MS);
  };
  ending.addEventListener('abort', end);
  return new Promise((resolve) => {
    child.once('exit', () => {
      clearTimeout(patience);
      ending.removeEventListener('abort', end);
      resolve();
    });
  });
}

function readResult(name: string, file: string): ChaosResult {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    const nothing = {
      roundsDone: 0,
      writesAcknowledged: 0,
      writesLost: 0,
      requests: 0,
      failedRequests: 0,
      kills: {},
      figures: {},
      seconds: 0,
    };
    return { scenario: name, seed: 0, rounds: 0, ...nothing, failure: 'it ended without a result' };
  }
}

/** By what a round of each took when it ran last; what starts before the first round is in it. */
function estimatedSeconds(names: readonly string[], rounds: number): number {
  const last = lastResults();
  return names
    .map((name) => last.find(({ scenario, roundsDone }) => scenario === name && roundsDone > 0))
    .map((result) => (result === undefined ? USUAL_ROUND_SECONDS : result.seconds / result.roundsDone) * rounds)
    .reduce((sum, seconds) => sum + seconds, 0);
}

function lastResults(): readonly ChaosResult[] {
  try {
    return JSON.parse(readFileSync(RESULT_FILE, 'utf8')).results;
  } catch {
    return [];
  }
}
