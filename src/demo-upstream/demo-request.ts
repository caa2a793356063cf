/** One request as it arrived, body included. */
export interface DemoRequest {
  readonly method: string;
  /** As sent, without the query; not decoded. */
  readonly path: string;
  /** What follows `?`, as sent; empty when nothing does. */
  readonly query: string;
  /** Names as sent, values one character per byte, in order. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: Buffer;
  /** Canonical address of the other end of the connection. */
  readonly remoteAddress: string;
  /** What stands for a missing `Host`: `address:port` of this end. */
  readonly localAuthority: string;
}

/** The value of a header by its lower-case name; several are joined by a comma, as a WSGI server hands them over. */
export function headerOf(request: DemoRequest, lowerCaseName: string): string | undefined {
  const values = request.headers.filter(([name]) => name.toLowerCase() === lowerCaseName).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(',');
}
