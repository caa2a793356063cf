import type { RequestView } from './request-view.ts';

/** How a request went. Times are monotonic milliseconds, 0 where the request never got there. */
export interface ExchangeFacts {
  /** Status sent to the client; 0 when none was. */
  readonly status: number;
  /** Why the gateway answered itself, from the table of errors. */
  readonly reason: string | undefined;
  /** Who made the answer; `nginx` is APISIX's word for an upstream that could not be asked, kept for its metrics. */
  readonly responseSource: 'upstream' | 'apisix' | 'nginx';
  /** 0 where no upstream answered. */
  readonly upstreamStatus: number;
  /** Address and port of the node that was asked last; undefined where none was. */
  readonly upstreamAddress: string | undefined;
  readonly upstreamHost: string | undefined;
  readonly attempts: number;
  /** Head and body. */
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
  readonly headReadAtMs: number;
  readonly decidedAtMs: number;
  readonly connectedAtMs: number;
  readonly firstByteAtMs: number;
  readonly finishedAtMs: number;
}

/** A finished request. The client's head can still be read; nothing can be edited. */
export interface LogView extends RequestView, ExchangeFacts {
  /** Headers of the answer as it was sent. */
  responseHeader(lowerCaseName: string): string | undefined;
  responseHeaderNames(): readonly string[];
}
