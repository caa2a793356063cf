import type { ErrorReason } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import { AddressCounts } from './address-counts.ts';
import { Admission } from './admission.ts';
import { canOpenDescriptors } from './can-open-descriptors.ts';
import { ConnectionBoard } from './connection-board.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { LimitLog } from './limit-log.ts';
import type { LoadHandles } from './load-tables.ts';
import { Relief, type Relievable } from './relief.ts';
import { SlotCounts } from './slot-counts.ts';

/** What a worker's load needs from its worker. */
export interface WorkerLoadOptions {
  readonly handles: LoadHandles;
  readonly row: number;
  readonly log: Logger;
  readonly clock: Clock;
}

/** What a worker does about its load. */
export interface LoadControls {
  readonly clients: Relievable;
  readonly upstreams: Relievable;
  /** Closes the listeners. */
  readonly pause: () => void;
  /** Has listeners opened again; `listens` is called when they are. */
  readonly resume: () => void;
}

/** A worker's part in the load of its instance: what it may still take on, and what it does when it may not. */
export class WorkerLoad {
  readonly admission: Admission;
  readonly #row: number;
  readonly #log: Logger;
  readonly #connections: ConnectionBoard;
  #reliefs: readonly Relief[] = [];
  #watch: DescriptorWatch | undefined;
  #accepts = false;

  constructor(options: WorkerLoadOptions) {
    const { handles, row, log, clock } = options;
    const limitLog = new LimitLog(log, clock);
    this.#row = row;
    this.#log = log;
    this.#connections = new ConnectionBoard(handles.connections);
    this.admission = new Admission({
      row,
      limits: handles.limits,
      connections: this.#connections,
      slots: new SlotCounts(handles.slots, handles.rows),
      addresses: handles.addresses === undefined ? undefined : new AddressCounts(handles.addresses.shared, handles.addresses.secret),
      onRefused: (reason: ErrorReason) => limitLog.refused(reason),
    });
  }

  /** Called once, when there is something to control. */
  control(controls: LoadControls): void {
    this.#reliefs = [
      new Relief(this.#connections, 'too_many_connections', controls.clients),
      new Relief(this.#connections, 'too_many_upstream_connections', controls.upstreams),
    ];
    this.#watch = new DescriptorWatch({
      canOpen: canOpenDescriptors,
      pause: () => {
        this.#connections.setPaused(this.#row, true);
        this.#log.error('no descriptor is left: this worker accepts nothing until there are some again');
        controls.pause();
      },
      resume: controls.resume,
    });
  }

  /** The worker accepts connections from now on. */
  listens(): void {
    if (this.#accepts) this.#log.info('this worker accepts again');
    this.#accepts = true;
    this.#connections.setPaused(this.#row, false);
  }

  /** The worker accepts nothing any more. */
  stop(): void {
    this.#accepts = false;
  }

  /** To be called ten times a second. */
  beat(): void {
    for (const relief of this.#reliefs) relief.beat();
    if (this.#accepts) this.#watch?.beat();
  }
}
