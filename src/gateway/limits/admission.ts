import type { ConnectionAdmission } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { AddressCounts } from './address-counts.ts';
import type { ConnectionBoard } from './connection-board.ts';
import type { InstanceLimits } from './instance-limits.ts';
import { REFUSAL_REASONS, refusalIndex } from './refusal-reasons.ts';
import type { SlotCounts } from './slot-counts.ts';
import { slotKey } from './slot-key.ts';

/** No slot: nothing is counted, everything is let in. */
export const NO_SLOT = -1;

/** Decides about requests in flight. What was entered is left exactly once, by the same slot. */
export interface RequestAdmission {
  /** Counts a request of the service; false when the service has as many in flight as it may. */
  enterService(slot: number): boolean;
  leaveService(slot: number): void;
  /** Counts a request on the node; false when the node has as many in flight as it may. */
  enterNode(slot: number): boolean;
  leaveNode(slot: number): void;
  /** A request was refused for this reason. */
  refused(reason: ErrorReason): void;
}

/** What a worker's admission is made from. */
export interface AdmissionOptions {
  readonly row: number;
  readonly limits: InstanceLimits;
  readonly connections: ConnectionBoard;
  readonly slots: SlotCounts;
  /** Undefined when client addresses have no limit. */
  readonly addresses: AddressCounts | undefined;
  /** Hears of each refusal, after it was counted. */
  readonly onRefused: (reason: ErrorReason) => void;
}

/**
 * Decides for one worker what the instance still takes on, by counts that all workers share. Whatever was let in is given back by
 * the call of the same name with `leave` or `Gone`, exactly once.
 */
export class Admission implements ConnectionAdmission, RequestAdmission {
  readonly limits: InstanceLimits;
  readonly #row: number;
  readonly #connections: ConnectionBoard;
  readonly #slots: SlotCounts;
  readonly #addresses: AddressCounts | undefined;
  readonly #onRefused: (reason: ErrorReason) => void;
  readonly #mostOfNode: number;

  constructor(options: AdmissionOptions) {
    this.limits = options.limits;
    this.#mostOfNode = options.limits.requestsPerNode === 0 ? Number.POSITIVE_INFINITY : options.limits.requestsPerNode;
    this.#row = options.row;
    this.#connections = options.connections;
    this.#slots = options.slots;
    this.#addresses = options.addresses;
    this.#onRefused = options.onRefused;
  }

  admitClient(address: string): ErrorReason | undefined {
    const { clientConnections, connectionsPerAddress } = this.limits;
    if (this.#addresses?.enter(this.#row, address, connectionsPerAddress) === false) return 'too_many_connections_of_client';
    if (this.#connections.enter(this.#row, 'client', clientConnections)) return undefined;
    this.#addresses?.leave(this.#row, address);
    return 'too_many_connections';
  }

  clientGone(address: string): void {
    this.#connections.leave(this.#row, 'client');
    this.#addresses?.leave(this.#row, address);
  }

  admitUpstream(): ErrorReason | undefined {
    return this.#connections.enter(this.#row, 'upstream', this.limits.upstreamConnections) ? undefined : 'too_many_upstream_connections';
  }

  upstreamGone(): void {
    this.#connections.leave(this.#row, 'upstream');
  }

  refused(reason: ErrorReason): void {
    const counted = REFUSAL_REASONS[refusalIndex(reason)];
    if (counted !== undefined) this.#connections.refused(this.#row, counted);
    this.#onRefused(reason);
  }

  /** The slot in which a service's requests are counted, the same on every worker. */
  serviceSlot(serviceId: string): number {
    return this.#slots.slotOf(slotKey('service', serviceId));
  }

  /** The slot in which a node's requests are counted; none when nodes have no limit and it is not counted for another reason. */
  nodeSlot(address: string, port: number, isCounted = false): number {
    if (this.limits.requestsPerNode === 0 && !isCounted) return NO_SLOT;
    return this.#slots.slotOf(slotKey('node', `${address} ${port}`));
  }

  /** Requests in flight in a slot, over all workers. */
  requestsInFlight(slot: number): number {
    return this.#slots.roughTotal(slot);
  }

  enterService(slot: number): boolean {
    return slot === NO_SLOT || this.#slots.enter(slot, this.#row, this.limits.requestsPerService);
  }

  leaveService(slot: number): void {
    if (slot !== NO_SLOT) this.#slots.leave(slot, this.#row);
  }

  enterNode(slot: number): boolean {
    return slot === NO_SLOT || this.#slots.enter(slot, this.#row, this.#mostOfNode);
  }

  leaveNode(slot: number): void {
    if (slot !== NO_SLOT) this.#slots.leave(slot, this.#row);
  }
}
