import type { PluginSetup } from '../plugin-setup.ts';
import { BatchProcessor, type BatchSettings } from './batch-processor.ts';
import { DroppedEntries } from './dropped-entries.ts';
import { PendingBudget } from './pending-budget.ts';

/** What a processor is made for. */
export interface BatchTarget<Entry> {
  readonly settings: BatchSettings;
  /** As that of a `BatchProcessor`. */
  readonly send: (entries: readonly Entry[]) => Promise<void>;
  /** `name` in metrics. */
  readonly name: string;
}

/** A processor that one configuration uses; given back with `release`. */
export interface HeldBatches<Entry> {
  /** Adds one entry of about so many bytes, unless `maxPending` entries of the plugin wait already. Never waits, never throws. */
  add(entry: Entry, bytes: number, maxPending: number): void;
  /** As `add`, but where too many wait the oldest batch that waits is lost instead. */
  addOverOldest(entry: Entry, bytes: number, maxPending: number): void;
  /** The last to give it back has everything sent that waits, for a few seconds at most. */
  release(): void;
}

interface SharedProcessor<Entry> {
  readonly processor: BatchProcessor<Entry>;
  uses: number;
}

interface WorkerBatches<Entry> {
  readonly budget: PendingBudget;
  readonly dropped: DroppedEntries;
  readonly processors: Map<string, SharedProcessor<Entry>>;
}

/** How long what waits may still be sent when nobody adds any more. */
const LAST_SENDING_MS = 5000;

/**
 * The batch processors of one plugin: one for each configuration and worker, as in APISIX, so that routes with the same configuration
 * fill the same batches and a change elsewhere on a route cuts none off. All of a worker share one budget.
 */
export class BatchRegistry<Entry> {
  readonly #plugin: string;
  /** By what stands for the worker: the calls that its plugins share. */
  readonly #workers = new WeakMap<object, WorkerBatches<Entry>>();

  constructor(plugin: string) {
    this.#plugin = plugin;
  }

  /** The processor under this key; `target` makes it where there is none. */
  hold(setup: PluginSetup, key: string, target: () => BatchTarget<Entry>): HeldBatches<Entry> {
    const worker = this.#workerOf(setup);
    const shared = worker.processors.get(key) ?? createShared(worker, setup, key, target());
    const { processor } = shared;
    shared.uses += 1;
    let isHeld = true;
    return {
      add: (entry, bytes, maxPending) => processor.add(entry, bytes, maxPending),
      addOverOldest: (entry, bytes, maxPending) => {
        if (worker.budget.entries >= maxPending) processor.dropOldest();
        processor.add(entry, bytes, maxPending);
      },
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        shared.uses -= 1;
        if (shared.uses > 0) return;
        worker.processors.delete(key);
        void processor.close(LAST_SENDING_MS);
      },
    };
  }

  #workerOf(setup: PluginSetup): WorkerBatches<Entry> {
    const known = this.#workers.get(setup.calls);
    if (known !== undefined) return known;
    const metric = setup.metrics.counter({
      name: 'plugin_entries_dropped_total',
      help: 'Entries of loggers and tracers that were lost because too many waited or they could not be sent.',
      labels: ['plugin'],
    });
    const dropped = new DroppedEntries(this.#plugin, setup.clock, setup.log, metric);
    const worker: WorkerBatches<Entry> = { budget: new PendingBudget(), dropped, processors: new Map() };
    this.#workers.set(setup.calls, worker);
    return worker;
  }
}

function createShared<Entry>(
  { budget, dropped, processors }: WorkerBatches<Entry>,
  setup: PluginSetup,
  key: string,
  { settings, send, name }: BatchTarget<Entry>,
): SharedProcessor<Entry> {
  const pending = setup.metrics.gauge({
    name: 'apisix_batch_process_entries',
    help: 'Entries of batch processors that wait or are under way.',
    labels: ['name', 'route_id', 'server_addr'],
  });
  // The route that came first stands for all that share the processor, as in APISIX.
  const labels = [name, setup.owner.kind === 'route' ? setup.owner.id : '', ''];
  const processor = new BatchProcessor<Entry>({
    settings,
    send,
    budget,
    clock: setup.clock,
    onDropped: (entries, why, error) => dropped.add(entries, why === 'full' ? 'too many wait' : messageOf(error)),
    onPending: (entries) => pending.set(labels, entries),
  });
  const shared = { processor, uses: 0 };
  processors.set(key, shared);
  return shared;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'they could not be sent';
}
