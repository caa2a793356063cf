/** Silence of an upstream with requests on its connection after which it is asked whether it is there. */
const PING_AFTER_MS = 10_000;
/** How long it may take to say so. */
const PING_ANSWER_MS = 5_000;
/**
 * Servers of gRPC close a connection on which they are asked more than twice before five minutes have passed, as long as they send nothing
 * else (grpc/doc/keepalive.md: PERMIT_KEEPALIVE_TIME, MAX_PING_STRIKES).
 */
const PING_AGAIN_MS = 310_000;
const MOST_QUICK_PINGS = 3;

/** What is known of a connection at one moment. */
export interface ConnectionActivity {
  /** Requests that are on it. */
  readonly users: number;
  /** Requests that were ever begun on it. */
  readonly requests: number;
  /** How often anything came for one of them. */
  readonly heard: number;
}

/**
 * Decides when a connection of HTTP/2 is asked by a PING whether its other end is still there, and when that has vanished. A connection that nobody
 * uses is never asked: most servers of gRPC take that amiss.
 */
export class LivenessWatch {
  #heard = 0;
  #silentSinceMs: number;
  #pingsInSilence = 0;
  #lastPingMs = 0;
  #requestsAtPing = 0;
  #awaitsAnswer = false;
  #isLate = false;

  constructor(nowMs: number) {
    this.#silentSinceMs = nowMs;
  }

  /** To be called about once a second. After `ping` one is to be sent, and `answered` called when it is. */
  check({ users, requests, heard }: ConnectionActivity, nowMs: number): 'alive' | 'ping' | 'vanished' {
    if (heard !== this.#heard) {
      this.#heard = heard;
      this.#silentSinceMs = nowMs;
      this.#pingsInSilence = 0;
      this.answered();
    }
    if (this.#awaitsAnswer) return this.#checkAnswer(nowMs);
    if (users === 0) this.#silentSinceMs = nowMs;
    if (users === 0 || !this.#isDue(requests, nowMs)) return 'alive';
    this.#pingsInSilence++;
    this.#lastPingMs = nowMs;
    this.#requestsAtPing = requests;
    this.#awaitsAnswer = true;
    return 'ping';
  }

  answered(): void {
    this.#awaitsAnswer = false;
    this.#isLate = false;
  }

  /** Looked at twice: what has come while this process itself was held up is read in between. */
  #checkAnswer(nowMs: number): 'alive' | 'vanished' {
    if (nowMs - this.#lastPingMs < PING_ANSWER_MS) return 'alive';
    if (this.#isLate) return 'vanished';
    this.#isLate = true;
    return 'alive';
  }

  #isDue(requests: number, nowMs: number): boolean {
    if (this.#pingsInSilence === 0) return nowMs - this.#silentSinceMs >= PING_AFTER_MS;
    const sincePingMs = nowMs - this.#lastPingMs;
    if (sincePingMs >= PING_AGAIN_MS) return true;
    return requests > this.#requestsAtPing && sincePingMs >= PING_AFTER_MS && this.#pingsInSilence < MOST_QUICK_PINGS;
  }
}
