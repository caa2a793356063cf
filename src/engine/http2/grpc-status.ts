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

/** The outcome of a call that its deadline has ended. */
export const DEADLINE_EXCEEDED = 4;

/**
 * Trailer fields by which a client of gRPC understands an answer with this HTTP status, made by the gateway or by what knows no gRPC.
 * `outcome` stands in place of what the status alone says.
 */
export function grpcTrailers(status: number, outcome: number | undefined): Record<string, string> {
  return { 'grpc-status': String(outcome ?? BY_HTTP_STATUS.get(status) ?? UNKNOWN), 'grpc-message': `HTTP status ${status}` };
}
