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
/**
 * So many bytes that the kernel has taken are a sign of life: a PING waits behind them. Fewer are none, or small messages would hide for as long
 * as the kernel's buffer takes them that nobody is there.
 */
const PROGRESS_BYTES = 16 * 1024;

/** What is known of a connection at one moment. */
export interface ConnectionActivity {
  /** Requests that are on it. */
  readonly users: number;
  /** Requests that were ever begun on it. */
  readonly requests: number;
  /** How often anything came for one of them. */
  readonly heard: number;
  /** Bytes read from it, of whatever kind: an upload is answered by WINDOW_UPDATE only. */
  readonly inboundBytes: number;
  /** Bytes written to it that the kernel has taken. */
  readonly outboundBytes: number;
}

/**
 * Decides when a connection of HTTP/2 is asked by a PING whether its other end is still there, and when that has vanished. A connection that nobody
 * uses is never asked: most servers of gRPC take that amiss.
 */
export class LivenessWatch {
  #heard = 0;
  #inboundBytes = 0;
  #outboundBytes = 0;
  #silentSinceMs: number;
  #pingsInSilence = 0;
  #lastPingMs = 0;
  /** Since when nothing has moved while its answer is waited for. */
  #waitsSinceMs = 0;
  #requestsAtPing = 0;
  #awaitsAnswer = false;
  #isLate = false;

  constructor(nowMs: number) {
    this.#silentSinceMs = nowMs;
  }

  /** To be called about once a second. After `ping` one is to be sent, and `answered` called when it is. */
  check(activity: ConnectionActivity, nowMs: number): 'alive' | 'ping' | 'vanished' {
    const { users, requests, heard } = activity;
    if (this.#moves(activity)) {
      this.#silentSinceMs = nowMs;
      this.#waitsSinceMs = nowMs;
      this.#isLate = false;
    }
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
    this.#waitsSinceMs = nowMs;
    this.#requestsAtPing = requests;
    this.#awaitsAnswer = true;
    return 'ping';
  }

  answered(): void {
    this.#awaitsAnswer = false;
    this.#isLate = false;
  }

  /** Only what answers a request makes servers of gRPC forget PINGs; this does not. */
  #moves({ inboundBytes, outboundBytes }: ConnectionActivity): boolean {
    const hasProgress = outboundBytes - this.#outboundBytes >= PROGRESS_BYTES;
    const moves = inboundBytes !== this.#inboundBytes || hasProgress;
    this.#inboundBytes = inboundBytes;
    if (hasProgress) this.#outboundBytes = outboundBytes;
    return moves;
  }

  /** Looked at twice: what has come while this process itself was held up is read in between. */
  #checkAnswer(nowMs: number): 'alive' | 'vanished' {
    if (nowMs - this.#waitsSinceMs < PING_ANSWER_MS) return 'alive';
    if (this.#isLate) return 'vanished';
    this.#isLate = true;
    return 'alive';
  }

  #isDue(requests: number, nowMs: number): boolean {
    if (nowMs - this.#silentSinceMs < PING_AFTER_MS) return false;
    if (this.#pingsInSilence === 0) return true;
    const sincePingMs = nowMs - this.#lastPingMs;
    if (sincePingMs >= PING_AGAIN_MS) return true;
    return requests > this.#requestsAtPing && sincePingMs >= PING_AFTER_MS && this.#pingsInSilence < MOST_QUICK_PINGS;
  }
}
