import { labelsText } from '../../observability/index.ts';
import { EntryTable } from './entry-table.ts';
import { readSeriesText } from './label-text.ts';
import { type MetricShape, SHAPE_MARK, shapeOfText } from './metric-shape.ts';
import { BEYOND_CELL, type MetricsHandles, OWN_SERIES_CELL, rowOf, TAKEN_CELL, USED_CELL } from './metrics-handles.ts';

/** One series of a family. */
export interface CataloguedSeries {
  /** As they stand between the braces. */
  readonly labels: string;
  /** The first of its cells, in every row. */
  readonly cell: number;
}

/** A metric with its series. */
export interface MetricFamily {
  readonly shape: MetricShape;
  readonly series: readonly CataloguedSeries[];
}

interface OpenFamily extends MetricFamily {
  readonly series: CataloguedSeries[];
  /** The first of the metric's own cells. */
  readonly ownCell: number;
  /** The series of empty labels is among the others. */
  hasOwnSeries: boolean;
}

/** Series that are read between two breaths. */
const READ_AT_ONCE = 200;

/** The agent's side of what workers count: which metrics and series there are, and what they stand at over all workers. */
export class SeriesCatalogue {
  readonly #table: EntryTable;
  readonly #everyRow: readonly Float64Array[];
  readonly #seen: Uint8Array;
  readonly #families = new Map<number, OpenFamily>();
  #rows: readonly Float64Array[] = [];

  constructor(handles: MetricsHandles) {
    this.#table = new EntryTable(handles);
    this.#everyRow = Array.from({ length: handles.rows }, (_, row) => rowOf(handles, row));
    this.#seen = new Uint8Array(this.#table.slots);
  }

  /** Series that there are. */
  get size(): number {
    return this.#table.count('series');
  }

  /** Metrics in the order of their names. */
  get families(): readonly MetricFamily[] {
    return this.#open();
  }

  /** How often a metric was counted in its series of empty labels for want of room. */
  beyond(): ReadonlyArray<readonly [name: string, count: number]> {
    return this.#open().map(({ shape, ownCell }) => [shape.name, this.sum(ownCell + BEYOND_CELL)] as const);
  }

  /** Takes up what is new. Yields now and then, for whoever must let others have their turn. */
  *refresh(): Generator<void> {
    this.#rows = this.#everyRow.filter((row) => row[TAKEN_CELL] === 1);
    let read = 0;
    for (let slot = 0; slot < this.#seen.length; slot++) {
      if (this.#seen[slot] === 1) continue;
      const entry = this.#table.entryAt(slot);
      if (entry === 0) continue;
      this.#seen[slot] = 1;
      this.#take(entry);
      read++;
      if (read % READ_AT_ONCE === 0) yield;
    }
    for (const family of this.#families.values()) takeOwnSeries(family, (cell) => this.sum(cell));
  }

  /** A cell over all workers. */
  sum(cell: number): number {
    let sum = 0;
    for (const row of this.#rows) sum += row[cell] ?? 0;
    return sum;
  }

  /** The worker of this row is gone: what it said that is, is no more. What it counted stays. */
  clearRow(row: number): void {
    const cells = this.#everyRow[row];
    if (cells !== undefined) this.#table.clearGauges(cells);
  }

  #open(): readonly OpenFamily[] {
    return [...this.#families.values()].sort((one, other) => (one.shape.name < other.shape.name ? -1 : 1));
  }

  #take(entry: number): void {
    const text = this.#table.textOf(entry);
    if (text.startsWith(SHAPE_MARK)) return void this.#family(entry);
    const read = readSeriesText(text);
    if (read === undefined) return;
    const { shape, series } = this.#family(read.metric);
    series.push({ labels: labelsText(shape.labels, read.values), cell: this.#table.cellOf(entry) });
  }

  /** A metric is there before its series, but the search may have passed its slot by then. */
  #family(metric: number): OpenFamily {
    const known = this.#families.get(metric);
    if (known !== undefined) return known;
    const shape = shapeOfText(this.#table.textOf(metric));
    const family: OpenFamily = { shape, series: [], ownCell: this.#table.cellOf(metric), hasOwnSeries: false };
    this.#families.set(metric, family);
    return family;
  }
}

/** The series of empty labels is there from the first use on; that of a metric without labels from the start. */
function takeOwnSeries(family: OpenFamily, sum: (cell: number) => number): void {
  const { shape, series, ownCell } = family;
  if (family.hasOwnSeries || (shape.labels.length > 0 && sum(ownCell + USED_CELL) === 0)) return;
  family.hasOwnSeries = true;
  const values = shape.labels.map(() => '');
  series.push({ labels: labelsText(shape.labels, values), cell: ownCell + OWN_SERIES_CELL });
}
