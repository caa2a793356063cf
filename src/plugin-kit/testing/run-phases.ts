import assert from 'node:assert/strict';
import type { BodyFilter } from '../body-filter.ts';
import type { PluginInstance } from '../instantiate-plugin.ts';
import type { PhaseResult } from '../plugin.ts';
import type { TestRequest } from './test-request.ts';
import { TestResponse } from './test-response.ts';

/** What a phase before the answer says, `_meta.filter` obeyed; a phase that the plugin does not have lets the request pass. */
export function runPhase(
  instance: PluginInstance,
  phase: 'rewrite' | 'access' | 'beforeProxy',
  request: TestRequest,
): PhaseResult | Promise<PhaseResult> {
  if (!passesFilter(instance, request)) return undefined;
  return instance[phase]?.(request);
}

/** As `runPhase`, for a phase that decides at once. @throws AssertionError where it waits for something */
export function runPhaseAtOnce(instance: PluginInstance, phase: 'rewrite' | 'access' | 'beforeProxy', request: TestRequest): PhaseResult {
  const result = runPhase(instance, phase, request);
  assert.ok(!(result instanceof Promise), `${phase} decides at once`);
  return result;
}

/** All phases before the answer in order, until one answers. */
export async function runRequest(instance: PluginInstance, request: TestRequest): Promise<PhaseResult> {
  for (const phase of ['rewrite', 'access', 'beforeProxy'] as const) {
    const result = await runPhase(instance, phase, request);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** The request is decided and there is this answer: its head goes through the plugin. */
export function runHeaderFilter(instance: PluginInstance, request: TestRequest, response: TestResponse = new TestResponse()): TestResponse {
  const passes = passesFilter(instance, request);
  request.answeredBy(response);
  if (passes) instance.headerFilter?.(request, response);
  return response;
}

/** As `runHeaderFilter`, and then what changes the body. */
export function runResponse(
  instance: PluginInstance,
  request: TestRequest,
  response: TestResponse = new TestResponse(),
): BodyFilter | undefined {
  runHeaderFilter(instance, request, response);
  if (!response.hasBody || !passesFilter(instance, request)) return undefined;
  return instance.bodyFilter?.(request, response);
}

/** The request is over. */
export function runLog(instance: PluginInstance, request: TestRequest): void {
  if (passesFilter(instance, request)) {
    request.decide();
    instance.log?.(request);
  }
  request.endWaits();
}

const filtered = new WeakMap<TestRequest, Map<PluginInstance, boolean>>();

/** Asked once a request. */
function passesFilter(instance: PluginInstance, request: TestRequest): boolean {
  const known = filtered.get(request) ?? new Map<PluginInstance, boolean>();
  filtered.set(request, known);
  const passes = known.get(instance) ?? instance.filter?.(request) ?? true;
  known.set(instance, passes);
  return passes;
}
