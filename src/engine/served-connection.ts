import type { ErrorReason } from '../errors/index.ts';
import type { IdleConnection } from './idle-victims.ts';

/** A client's connection as the server looks after it, whatever version of HTTP it speaks. */
export interface ServedConnection extends IdleConnection {
  /** The address under which the server has counted it; undefined when it is not counted. */
  countedAddress: string | undefined;
  /** Its first request is answered with this reason, and it serves no other. To be called before anything has arrived. */
  refuseFirst(reason: ErrorReason): void;
  /** Answers with what `refuseFirst` said without waiting for a request any longer, and closes. */
  refuseNow(): void;
  /** A drain is near: tells the client, as far as its protocol can without an answer. */
  announceDrain?(): void;
  /** Closes it if it only waits for another request, or as soon as it does where the protocol has a way to say so. */
  closeIfIdle(): void;
  /** Ends what is under way with `reason`, and the connection. */
  shutDown(reason: ErrorReason): void;
  /** Gives the connection up at once. */
  destroy(): void;
  /** Ends what has waited for too long at monotonic time `nowMs`. */
  checkDeadlines(nowMs: number): void;
}
