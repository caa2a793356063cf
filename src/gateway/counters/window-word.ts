import { MASTER_LIMIT, PAYLOAD_LIMIT } from './entry-word.ts';

/**
 * How windows use the payloads of their words. Master, expiry and previous count carry the number of the window's turn (6 bits): a turn
 * is begun by the expiry, and whoever finds another turn in the master finishes it.
 */
const TURNS = 64;
const COUNT_LIMIT = MASTER_LIMIT / TURNS;
const ADJACENT = 2 ** 41;
const EXPIRY_HIGH_MASK = ADJACENT / 2 ** 32 - 1;
const TURN_UNIT = PAYLOAD_LIMIT / TURNS;

/** The highest limit that a window can have. */
export const MAX_COUNT = COUNT_LIMIT - 1;
/** The latest time that an expiry can have, in milliseconds of the machine: 69 years. */
export const MAX_EXPIRY_MS = ADJACENT - 1;

export function nextTurn(turn: number): number {
  return (turn + 1) % TURNS;
}

/** The payload of a master. */
export function countPayload(turn: number, count: number): number {
  return turn * COUNT_LIMIT + count;
}

export function turnOfCount(payload: number): number {
  return Math.floor(payload / COUNT_LIMIT);
}

export function countOf(payload: number): number {
  return below(payload, COUNT_LIMIT);
}

/** The payload of an expiry; `adjacent` says that the window follows right upon the one before. */
export function expiryPayload(turn: number, adjacent: boolean, expiryMs: number): number {
  return turn * TURN_UNIT + (adjacent ? ADJACENT : 0) + Math.min(expiryMs, MAX_EXPIRY_MS);
}

export function turnOf(payload: number): number {
  return Math.floor(payload / TURN_UNIT);
}

export function isAdjacent(payload: number): boolean {
  return below(payload, TURN_UNIT) >= ADJACENT;
}

export function expiryMsOf(payload: number): number {
  return below(payload, ADJACENT);
}

/** As `expiryMsOf`, of the halves of a word. */
export function expiryMsIn(high: number, low: number): number {
  return (high & EXPIRY_HIGH_MASK) * 2 ** 32 + low;
}

/** The payload of the count of the window before. */
export function previousPayload(turn: number, count: number): number {
  return turn * TURN_UNIT + count;
}

export function previousCountOf(payload: number): number {
  return below(payload, TURN_UNIT);
}

/** The rest of a division by a power of two; `%` of numbers this large is ten times slower. */
function below(payload: number, unit: number): number {
  return payload - Math.floor(payload / unit) * unit;
}
