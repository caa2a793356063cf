import type { ErrorReason } from '../errors/index.ts';

/** The response with which a plugin ends a request. */
export interface PluginAnswer {
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: string;
  /** Stands in the access log and in metrics; undefined for answers that are no errors. */
  readonly reason: ErrorReason | undefined;
}

/**
 * An error answer as APISIX's plugins write it: `{"message":…}` and a newline, sent as `text/plain; charset=utf-8`.
 * The status is the reason's in the table of errors.
 */
export interface RefusalOptions {
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]>;
}
