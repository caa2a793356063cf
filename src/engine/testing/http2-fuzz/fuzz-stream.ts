import { responseOwner } from '../cross-talk-upstream.ts';
import type { Field } from '../hpack-reading.ts';
import { StampCheck } from '../stamp.ts';
import { type CallOutcome, describeCall, type FuzzCall } from './fuzz-call.ts';

/** Longest answer of the gateway's own. */
const MOST_OWN_BYTES = 1000;

/** One stream as a client sees it: whose answer it gets, and whether the gateway keeps to its windows. */
export class FuzzStream {
  readonly id: number;
  readonly call: FuzzCall;
  /** Bytes that the gateway takes. */
  sendWindow: number;
  /** Bytes that the gateway may send. */
  receiveWindow: number;
  /** Monotonic count of bytes received, for those that wait for an answer to begin. */
  receivedBytes = 0;
  /** The client has ended or reset its side. */
  sentEnd = false;
  cancelled = false;
  /** The gateway has heard of the reset, so it says nothing more. */
  silenced = false;
  ended = false;
  resetCode: number | undefined = undefined;
  #status: number | undefined = undefined;
  #ownBody = '';
  readonly #check: StampCheck;

  constructor(id: number, call: FuzzCall, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.call = call;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.#check = new StampCheck(responseOwner(call.owner));
  }

  /** Nothing of use comes any more. */
  get over(): boolean {
    return this.ended || this.cancelled || this.resetCode !== undefined;
  }

  get outcome(): CallOutcome {
    const isWhole = this.ended && (this.#status !== 200 || this.#check.offset === this.call.responseBytes);
    return { status: this.#status, isWhole, resetCode: this.resetCode, ownBody: this.#ownBody };
  }

  /** @throws where a head does not belong here */
  takeHead(fields: readonly Field[], ends: boolean): void {
    this.#assertOpen('a head');
    const value = (wanted: string): string | undefined => fields.find(([name]) => name === wanted)?.[1];
    const status = value(':status');
    if (this.#status !== undefined) {
      if (status !== undefined || !ends) throw new Error(`a second head for ${describeCall(this.call)}`);
    } else if (Number(status) >= 200) {
      this.#status = Number(status);
      const owner = responseOwner(this.call.owner);
      if (this.#status === 200 && Number(value('x-owner')) !== owner) {
        throw new Error(`${describeCall(this.call)} got the answer of ${value('x-owner')}`);
      }
    } else if (!(Number(status) >= 100) || ends) {
      throw new Error(`${describeCall(this.call)} got the status ${status}`);
    }
    this.ended = ends;
  }

  /** @throws where data does not belong here */
  takeData(data: Buffer, ends: boolean): void {
    this.#assertOpen('data');
    if (this.#status === undefined) throw new Error(`data without a head for ${describeCall(this.call)}`);
    this.receivedBytes += data.length;
    if (this.#status === 200) this.#check.take(data);
    else this.#ownBody += data.toString('latin1');
    if (this.#ownBody.length > MOST_OWN_BYTES) throw new Error(`an endless answer to ${describeCall(this.call)}`);
    this.ended = ends;
  }

  #assertOpen(what: string): void {
    if (this.ended || this.resetCode !== undefined) throw new Error(`${what} behind the end of ${describeCall(this.call)}`);
    if (this.silenced) throw new Error(`${what} after the reset of ${describeCall(this.call)}`);
  }
}
