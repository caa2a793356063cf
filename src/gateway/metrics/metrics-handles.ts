/** How much a process counts. What lies beyond goes to one series of empty labels for each metric. */
export interface MetricsLimits {
  /** Label sets of all metrics together. */
  readonly series: number;
  /** Metrics. */
  readonly metrics: number;
  /** Numbers of all series together, in each worker's row. */
  readonly cells: number;
  /** Bytes for the names and label values of all series. */
  readonly textBytes: number;
}

/**
 * The limits of a process. Memory is taken as it is used: a series takes its labels once, and 8 bytes for each of its numbers in the row
 * of each worker that counts it.
 */
export const METRICS_LIMITS: MetricsLimits = { series: 20_000, metrics: 256, cells: 262_144, textBytes: 8 * 1024 * 1024 };

/** Memory that the agent and its workers share for metrics, to be posted to a worker that starts. */
export interface MetricsHandles {
  readonly limits: MetricsLimits;
  /** Rows of cells: one for each worker thread that may be there at once. */
  readonly rows: number;
  readonly index: SharedArrayBuffer;
  readonly texts: SharedArrayBuffer;
  readonly cells: SharedArrayBuffer;
}

/** Numbers at the start of each row that belong to the worker itself: whether the row was ever used, and its loop's delay. */
export const TAKEN_CELL = 0;
export const LAG_CELL = 1;
export const FIRST_CELL = 8;

/** Numbers at the start of a metric's own cells, before those of its series of empty labels. */
export const BEYOND_CELL = 0;
export const USED_CELL = 1;
export const OWN_SERIES_CELL = 2;

const SLOTS_PER_ENTRY = 1.5;
const HEADER_WORDS = 16;

/** Words of the index before its slots. */
export const INDEX_WORDS = { series: 0, metrics: 1, textWords: 2, cells: 3, firstSlot: HEADER_WORDS } as const;

/** Slots of the index: a power of two, so that at most two thirds are ever taken. */
export function slotsOf(limits: MetricsLimits): number {
  return 2 ** Math.ceil(Math.log2((limits.series + limits.metrics) * SLOTS_PER_ENTRY));
}

/** Cells of one row. */
function cellsPerRow(limits: MetricsLimits): number {
  return FIRST_CELL + limits.cells;
}

/** New memory for metrics, empty. */
export function createMetricsHandles(rows: number, limits: MetricsLimits = METRICS_LIMITS): MetricsHandles {
  return {
    limits,
    rows,
    index: new SharedArrayBuffer((HEADER_WORDS + slotsOf(limits)) * Int32Array.BYTES_PER_ELEMENT),
    texts: new SharedArrayBuffer(Math.ceil(limits.textBytes / 4) * 4),
    cells: new SharedArrayBuffer(rows * cellsPerRow(limits) * Float64Array.BYTES_PER_ELEMENT),
  };
}

/** The numbers of one worker. */
export function rowOf(handles: MetricsHandles, row: number): Float64Array {
  const cells = cellsPerRow(handles.limits);
  return new Float64Array(handles.cells, row * cells * Float64Array.BYTES_PER_ELEMENT, cells);
}
