import assert from 'node:assert/strict';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { EngineContext } from '../engine-context.ts';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS } from '../engine-options.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { TestHandler } from './test-handler.ts';

/** What connections of an engine share, as in an engine without options: for parts of it that are tried without a server. A failure ends the test unless it is taken. */
export function testContext(
  options: { readonly handler?: TestHandler; readonly clock?: FakeClock; readonly onFailure?: (error: unknown) => void } = {},
): EngineContext {
  const { handler = new TestHandler(() => {}), clock = new FakeClock(), onFailure = (error) => assert.fail(String(error)) } = options;
  return new EngineContext({
    ...{ handler, clock, onFailure },
    pool: new UpstreamPool({ clock }),
    limits: DEFAULT_ENGINE_LIMITS,
    timeouts: DEFAULT_ENGINE_TIMEOUTS,
    serverLine: undefined,
    ownResponseFields: [],
  });
}
