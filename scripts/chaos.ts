import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { copiesSideBySide } from '../e2e/chaos/record/copies-side-by-side.ts';
import { RecordFile } from './chaos/record-file.ts';
import { runScenarios } from './chaos/run-scenarios.ts';
import { SCENARIO_FOLDER, SCENARIO_SUFFIX } from './chaos/scenario-process.ts';

// Run as: chaos.ts [--rounds N] [--scenario NAME,NAME] [--seed S] [--copies N] [--minutes M] [--continue [--anew NAME,NAME]] [--list]
// Runs the scenarios of e2e/chaos one after the other and writes bench/results/chaos.json after each round.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    scenario: { type: 'string' },
    seed: { type: 'string' },
    copies: { type: 'string' },
    minutes: { type: 'string', default: '360' },
    continue: { type: 'boolean', default: false },
    anew: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const scenarios = readdirSync(SCENARIO_FOLDER)
  .filter((file) => file.endsWith(SCENARIO_SUFFIX))
  .map((file) => file.slice(0, -SCENARIO_SUFFIX.length));
if (values.list) {
  process.stdout.write(`${scenarios.join('\n')}\n`);
} else {
  const copies = numberOf('copies', values.copies);
  process.exitCode = await runScenarios(chosenScenarios(), {
    record: openRecord(),
    minutes: numberOf('minutes', values.minutes) ?? 0,
    copiesOf: copies === undefined ? copiesSideBySide : () => copies,
  });
}

function openRecord(): RecordFile {
  const [rounds, seed] = [numberOf('rounds', values.rounds), numberOf('seed', values.seed)];
  if (!values.continue && values.anew !== undefined) throw new RangeError('--anew goes with --continue');
  if (!values.continue) return RecordFile.begin({ rounds: rounds ?? 100, seed: seed ?? randomInt(2 ** 32) });
  if (seed !== undefined) throw new RangeError('--continue goes on with the seeds of the run that it continues');
  return RecordFile.goOn(rounds, known(values.anew?.split(',') ?? []));
}

function chosenScenarios(): readonly string[] {
  return known(values.scenario?.split(',') ?? scenarios);
}

function known(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !scenarios.includes(name));
  if (unknown !== undefined) throw new RangeError(`there is no scenario ${unknown}; there are ${scenarios.join(', ')}`);
  return names;
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new RangeError(`--${name} must be a whole number`);
  return Number(text);
}
