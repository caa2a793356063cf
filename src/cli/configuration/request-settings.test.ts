import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS } from '../../engine/index.ts';
import { StartError } from '../../errors/index.ts';
import { readConfiguration } from './configuration.ts';
import { LIMIT_SETTINGS, TIMEOUT_SETTINGS } from './request-settings.ts';

function read(flags: Record<string, string>) {
  const sources = { flags: new Map(Object.entries(flags)), environment: {}, folder: '/srv', file: undefined };
  const { limits, timeouts } = readConfiguration(sources).engine;
  return { limits, timeouts };
}

function refuses(flags: Record<string, string>, message: string): void {
  assert.throws(
    () => read(flags),
    (error) => error instanceof StartError && error.message === message,
  );
}

test("without any setting the engine's own limits and time-outs hold", () => {
  assert.deepEqual(read({}), { limits: {}, timeouts: {} });
});

test('every limit of the engine has a setting, whose default is the one in force', () => {
  assert.deepEqual(LIMIT_SETTINGS.map(({ limit }) => limit).sort(), Object.keys(DEFAULT_ENGINE_LIMITS).sort());
  for (const { name, limit, defaultText } of LIMIT_SETTINGS) assert.equal(Number(defaultText), DEFAULT_ENGINE_LIMITS[limit], name);
});

test('the default of each time-out is the one in force', () => {
  for (const { name, timeout, type, defaultText } of TIMEOUT_SETTINGS) {
    const milliseconds = Number(defaultText) * (type === 'seconds' ? 1000 : 1);
    assert.equal(milliseconds, DEFAULT_ENGINE_TIMEOUTS[timeout], name);
  }
});

test('seconds become milliseconds, and sizes and rates stay what they are', () => {
  assert.deepEqual(
    read({ 'client-head-timeout': '7.5', 'client-body-min-rate': '0', 'max-request-head': '4096', 'max-request-target': '1000' }),
    {
      limits: { headBytes: 4096, targetBytes: 1000 },
      timeouts: { headMs: 7500, bodyBytesPerSecond: 0 },
    },
  );
});

test('what is out of bounds, no number or contradictory is refused with what would be right', () => {
  refuses({ 'client-head-timeout': '0' }, '--client-head-timeout must be a number of seconds of at least 0.5, not "0".');
  refuses({ 'upstream-idle-timeout': '61' }, '--upstream-idle-timeout must be a number of seconds from 0 to 60, not "61".');
  refuses({ 'client-idle-timeout': '9999999' }, '--client-idle-timeout must be a number of seconds of at most 999999.999, not "9999999".');
  refuses({ 'client-idle-timeout': '75s' }, '--client-idle-timeout must be a number of seconds of at least 0.5, not "75s".');
  refuses({ 'max-request-headers': '5' }, '--max-request-headers must be a whole number from 10 to 5000, not "5".');
  refuses({ 'max-request-head': '64k' }, '--max-request-head must be a whole number from 1024 to 1048576, not "64k".');
  refuses(
    { 'max-request-target': '40000' },
    '--max-request-target (40000) must be less than --max-request-head (32768), which contains it.',
  );
  refuses({ 'max-request-head': '8192' }, '--max-request-target (8192) must be less than --max-request-head (8192), which contains it.');
});
