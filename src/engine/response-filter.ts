/**
 * Changes the answers of upstreams on their way to the client. Asked once for each final answer; never for interim ones (1xx), for a
 * change of protocol (101), nor for what the gateway answers itself.
 */
export interface ResponseFilter {
  /**
   * The head of an upstream's answer, of which nothing has been sent. May edit it, only during the call. Returns what the body passes
   * through, or undefined to let it pass as it is. With a filter of the body the answer is sent in chunks, or to HTTP/1.0 until the
   * connection ends, and without the upstream's Content-Length; without one its framing stays. Where the answer has no body a filter
   * of it only says that the length would be another one: that is left out, and the filter is aborted. Throwing answers 500 with
   * reason `internal`, and is reported.
   */
  onHead(head: ResponseHeadEditor): BodyFilter | undefined;
}

/**
 * The head of an upstream's answer as the client will get it. Fields between neighbours (RFC 9110 §7.6.1), those of framing but
 * Content-Length, and those that upstreams cannot set (`Server`, where the gateway has its own) are not there. Valid during
 * `ResponseFilter.onHead` only; every member throws an Error later.
 */
export interface ResponseHeadEditor {
  /**
   * From 200 to 599; another number throws a RangeError. A new status gets its standard reason phrase. One without a body (204, 304)
   * makes the body of the answer be thrown away.
   */
  status: number;
  /** False where no body can follow: an answer to HEAD, 204, 304. */
  readonly hasBody: boolean;
  /** The first value, as a byte string; undefined where there is none. */
  header(lowerCaseName: string): string | undefined;
  /** All values in order, as byte strings. */
  headerValues(lowerCaseName: string): readonly string[];
  /** Lower-case, in order, without repeats. */
  headerNames(): readonly string[];
  /**
   * Replaces all fields of the name.
   * @throws TypeError for a name or a value that cannot stand in a field, and for a field that belongs to the engine
   */
  setHeader(name: string, value: string): void;
  /** Adds a field behind those there are. @throws TypeError as `setHeader` */
  addHeader(name: string, value: string): void;
  /** Removes all fields of the name. Content-Length, which is framing, cannot be removed so, and stays. */
  removeHeader(lowerCaseName: string): void;
}

/**
 * What the decoded body of an answer passes through. Its calls never overlap: the next comes when the promise of the last has settled.
 * The head goes to the client with the first bytes that are pushed, or at once where none of the body has come along with it.
 *
 * Throwing and rejecting are reported; they end the exchange with reason `internal`, by a 500 where nothing was sent yet, and else by a
 * cut. So does a promise that has not settled after `timeouts.decisionMs`, with `decision_timeout`.
 */
export interface BodyFilter {
  /**
   * One piece of the body, never empty. `chunk` is valid only until the call returns, which for a promise is its first wait: what is
   * needed later must be copied before, for the memory is read into again, for whomever. What goes on is given to `push`, in bytes that
   * the filter does not touch again; `chunk` itself may be pushed during the call. A promise holds the upstream back until it settles.
   */
  write(chunk: Buffer, push: (bytes: Buffer) => void): void | Promise<void>;
  /** The body has ended; the answer ends when this has settled. */
  end(push: (bytes: Buffer) => void): void | Promise<void>;
  /**
   * The exchange ended before the body did, or a call has failed. Called at most once, never after `end` has settled in order; what
   * is pushed from then on goes nowhere.
   */
  abort?(): void;
}
