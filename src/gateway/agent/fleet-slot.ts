import type { FleetMember } from './fleet-member.ts';
import type { SlotSockets } from './slot-sockets.ts';
import type { StreamSockets } from './stream-sockets.ts';

/** What a slot's worker does, as the status tells. */
export type WorkerState = 'starting' | 'listening' | 'down';

/** One of the workers that a gateway has: the threads in it come and go. */
export class FleetSlot {
  readonly index: number;
  readonly sockets: SlotSockets;
  readonly streams: StreamSockets;
  member: FleetMember | undefined;
  listening = false;

  constructor(index: number, sockets: SlotSockets, streams: StreamSockets) {
    this.index = index;
    this.sockets = sockets;
    this.streams = streams;
  }

  /** No thread can ever listen here again. */
  get lost(): boolean {
    return this.member === undefined && this.sockets.usedUp;
  }

  get state(): WorkerState {
    if (this.listening) return 'listening';
    return this.lost ? 'down' : 'starting';
  }
}
