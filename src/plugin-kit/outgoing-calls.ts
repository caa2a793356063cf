/** A request that a plugin makes itself. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly verifyTls: boolean;
  /** Longer bodies of answers fail; 1 MiB unless said. */
  readonly maxResponseBytes?: number;
}

export interface OutgoingResponse {
  readonly status: number;
  /** By lower-case name; repeated ones joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Calls out, under the instance's address policy, with a bounded number at once. Rejects with an Error whose message names no secret. */
export interface OutgoingCalls {
  send(request: OutgoingRequest): Promise<OutgoingResponse>;
}

/** Files that plugins append lines to; opened again when the instance is told to reopen its logs. */
export interface LineFiles {
  /** The file of this absolute path; shared by all who open it, closed with the last. */
  open(path: string): LineFile;
}

export interface LineFile {
  /** Appends the text and a line break, without waiting; false where the line is lost because too many wait for the disk. */
  append(line: string): boolean;
  close(): void;
}
