import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { renderLimitsPage } from '../../../scripts/generate-limits.ts';
import { DEFAULT_ENGINE_TIMEOUTS } from '../../engine/index.ts';
import { TIMEOUT_SETTINGS } from './request-settings.ts';
import { REQUEST_TIME_OUTS } from './time-outs.ts';

test('the page of limits and time-outs is what the generator makes of the tables', () => {
  const page = readFileSync(new URL('../../../docs/reference/limits-and-time-outs.md', import.meta.url), 'utf8');
  assert.equal(page, renderLimitsPage(), 'run: npm run generate');
});

test('a time-out that is left out changes the page', () => {
  assert.notEqual(renderLimitsPage(REQUEST_TIME_OUTS.slice(1)), renderLimitsPage());
});

test('every time-out of the engine stands in the table', () => {
  const settings = new Map<string, string>(TIMEOUT_SETTINGS.map(({ name, timeout }) => [name, timeout]));
  const listed = REQUEST_TIME_OUTS.flatMap(({ setBy }) => {
    if (setBy.kind === 'engine') return [setBy.timeout];
    return setBy.kind === 'setting' ? [settings.get(setBy.name) ?? setBy.name] : [];
  });
  assert.deepEqual(
    Object.keys(DEFAULT_ENGINE_TIMEOUTS).filter((timeout) => !listed.includes(timeout)),
    [],
  );
});
