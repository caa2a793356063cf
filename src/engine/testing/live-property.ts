import type fc from 'fast-check';
import type { UpstreamTarget } from '../exchange.ts';
import type { Cleanup } from './cleanup.ts';
import { startEngine, type TestEngine } from './test-engine.ts';
import { planTo } from './test-handler.ts';

/** Something that holds for every text that a live engine is sent, in the form that the tests and the longer runs share. */
export interface LiveProperty {
  readonly name: string;
  /** How many inputs a test tries. */
  readonly runs: number;
  /** Starts the engine and its upstream, which run until `end`. */
  start(end: Cleanup): Promise<fc.IAsyncProperty<[string]>>;
}

/** An engine that forwards everything to this port. */
export async function startForwarder(end: Cleanup, port: number): Promise<TestEngine> {
  const engine = await startEngine(end, (exchange) => exchange.forward(planTo(target)));
  const target: UpstreamTarget = engine.pool.target('127.0.0.1', port);
  return engine;
}
