import type { ReadingPace } from './slow-readers.ts';

/** Bounds of the Admin API's server. */
export interface AdminServerLimits {
  readonly maxBodyBytes: number;
  /** All bodies together that are being read or worked on; what is more is refused with 503. */
  readonly maxBodyBytesAtOnce: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** Of one client address; IPv6: of one /64. */
  readonly maxConnectionsPerAddress: number;
  /** From the first byte of a request to the end of its head. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How long a connection may stand still while an answer is being made or read. Above the longest wait that `Prefer` allows. */
  readonly idleTimeoutMs: number;
  /** How slowly answers may be read. */
  readonly readingPace: ReadingPace;
}

/** The bounds that are in force. A name and a description of 65,536 characters each, in four bytes a character, fit in a body. */
export const ADMIN_SERVER_LIMITS: AdminServerLimits = {
  maxBodyBytes: 1_572_864,
  maxBodyBytesAtOnce: 67_108_864,
  maxHeaderBytes: 16_384,
  maxConnections: 1_000,
  maxConnectionsPerAddress: 500,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  handshakeTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  idleTimeoutMs: 120_000,
  readingPace: { graceMs: 30_000, leastBytesPerSecond: 65_536 },
};
