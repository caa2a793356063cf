// What the race test and its worker share.
import { hash } from 'node:crypto';
import type { SharedDigestTableHandles } from './shared-digest-table-writer.ts';

/** Keys that are replaced but never removed: they must always be found. */
export const STABLE_KEYS = 400;
/** Keys that come and go. */
export const VOLATILE_KEYS = 3000;

export interface RaceReaderData {
  readonly handles: SharedDigestTableHandles;
  readonly epochs: SharedArrayBuffer;
  readonly row: number;
  readonly finds: number;
  readonly seed: number;
}

export interface RaceReport {
  readonly hits: number;
  readonly wrong: number;
  readonly missedStable: number;
}

export function digestOfKey(key: number): Buffer {
  return hash('sha256', `key ${key}`, 'buffer');
}
