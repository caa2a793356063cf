import type { Random } from '../../lib/random.ts';
import { AddressCounts } from './address-counts.ts';
import { ConnectionBoard } from './connection-board.ts';
import { deriveRefusedConnections, type InstanceLimits } from './instance-limits.ts';
import { REFUSAL_REASONS, type RefusalReason } from './refusal-reasons.ts';
import { SlotCounts } from './slot-counts.ts';

/** What a worker needs to count with the others. */
export interface LoadHandles {
  readonly limits: InstanceLimits;
  /** Most connections beyond the limit that a worker keeps until it has answered them. */
  readonly refusedConnections: number;
  readonly rows: number;
  readonly connections: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly addresses: { readonly shared: SharedArrayBuffer; readonly secret: string } | undefined;
}

/** How much an instance has to do, over all its workers. */
export interface InstanceLoad {
  readonly limits: InstanceLimits;
  readonly clientConnections: number;
  readonly upstreamConnections: number;
  /** Workers that accept nothing at present because descriptors are short. */
  readonly pausedWorkers: number;
  /** How often that has happened to a worker. */
  readonly pauses: number;
  /** Since the process began. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

/** What the tables are made for. */
export interface LoadTablesOptions {
  readonly limits: InstanceLimits;
  /** How many descriptors the process may open. */
  readonly descriptors: number;
  /** Worker threads that accept connections. */
  readonly workers: number;
  /** Most worker threads at once. */
  readonly rows: number;
  readonly random: Random;
}

const SECRET_BYTES = 16;

/** All that workers count together, as the agent owns it. */
export class LoadTables {
  readonly handles: LoadHandles;
  readonly #connections: ConnectionBoard;
  readonly #slots: SlotCounts;
  readonly #addresses: AddressCounts | undefined;

  constructor(options: LoadTablesOptions) {
    const { limits, descriptors, workers, rows, random } = options;
    const secret = random.bytes(SECRET_BYTES).toString('hex');
    this.#connections = ConnectionBoard.forWorkers(rows);
    this.#slots = SlotCounts.forWorkers(rows);
    this.#addresses = limits.connectionsPerAddress === 0 ? undefined : AddressCounts.forWorkers(rows, secret);
    this.handles = {
      limits,
      refusedConnections: deriveRefusedConnections(descriptors, workers),
      rows,
      connections: this.#connections.shared,
      slots: this.#slots.shared,
      addresses: this.#addresses === undefined ? undefined : { shared: this.#addresses.shared, secret },
    };
  }

  get load(): InstanceLoad {
    const refused = Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, this.#connections.refusals(reason)]));
    return {
      limits: this.handles.limits,
      clientConnections: this.#connections.open('client'),
      upstreamConnections: this.#connections.open('upstream'),
      pausedWorkers: this.#connections.pausedWorkers,
      pauses: this.#connections.pauses,
      // One entry was made for each reason.
      refused: refused as Record<RefusalReason, number>,
    };
  }

  /** Connections of clients that were let in since the process began. */
  get admittedClients(): number {
    return this.#connections.admittedClients;
  }

  /** The worker of this row is gone: what it had open is, too. */
  clearRow(row: number): void {
    this.#connections.clearRow(row);
    this.#slots.clearRow(row);
    this.#addresses?.clearRow(row);
  }
}
