import type { ErrorReason } from '../../errors/index.ts';

/** What clients of gRPC make of the status of an answer that is none of gRPC (grpc/doc/http-grpc-status-mapping.md). */
const BY_HTTP_STATUS: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);
const UNKNOWN = 2;

/** Where the reason says more than the status: deadlines, and how an upstream has reset the stream (grpc/doc/PROTOCOL-HTTP2.md, Errors). */
const BY_REASON: ReadonlyMap<ErrorReason, number> = new Map([
  ['deadline_exceeded', 4],
  ['upstream_cancelled', 1],
  ['upstream_calm', 8],
  ['upstream_reset', 13],
]);

/**
 * Trailer fields, name and value in turn, by which a client of gRPC understands an answer with this HTTP status, made by the gateway for `reason` or by what knows no
 * gRPC.
 */
export function grpcTrailers(status: number, reason: ErrorReason | undefined): string[] {
  const outcome = (reason && BY_REASON.get(reason)) ?? BY_HTTP_STATUS.get(status) ?? UNKNOWN;
  return ['grpc-status', String(outcome), 'grpc-message', `HTTP status ${status}`];
}
