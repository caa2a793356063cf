import { parseObject, readCount, readString } from './read-fields.ts';

/**
 * How a gateway comes by its certificates: `POST` with a JSON body over TLS 1.3 on the port of the sync connections. `/join` is for those
 * that have none yet, and shows a join token; `/renew` shows the certificate in the handshake. Unknown fields are ignored.
 */
export const JOIN_PATH = '/join';
export const RENEW_PATH = '/renew';
/** No request and no answer is larger. */
export const MAX_JOIN_BYTES = 16 * 1024;

/** Asks for a first certificate. */
export interface JoinRequest {
  readonly tokenId: string;
  readonly secret: string;
  /** For people only. */
  readonly hostname: string;
  /** SPKI, PEM. Its private key never leaves the gateway. */
  readonly publicKey: string;
  /** `provePossession` over `joinStatement`. */
  readonly proof: string;
}

/** Asks for the next certificate, for a new key. */
export interface RenewRequest {
  readonly publicKey: string;
  /** `provePossession` over `renewStatement`, by the new key. */
  readonly proof: string;
}

/** The answer to both. */
export interface GrantedIdentity {
  readonly groupId: string;
  readonly instanceId: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM of all authorities that are trusted, the one that issues now first. */
  readonly authority: string;
  readonly expiresAtMs: number;
}

/** @throws ProtocolError when the body is none */
export function parseJoinRequest(text: string): JoinRequest {
  const fields = parseObject(text);
  return {
    tokenId: readString(fields, 'tokenId'),
    secret: readString(fields, 'secret'),
    hostname: readString(fields, 'hostname'),
    publicKey: readString(fields, 'publicKey'),
    proof: readString(fields, 'proof'),
  };
}

/** @throws ProtocolError when the body is none */
export function parseRenewRequest(text: string): RenewRequest {
  const fields = parseObject(text);
  return { publicKey: readString(fields, 'publicKey'), proof: readString(fields, 'proof') };
}

/** @throws ProtocolError when the body is none */
export function parseGrantedIdentity(text: string): GrantedIdentity {
  const fields = parseObject(text);
  return {
    groupId: readString(fields, 'groupId'),
    instanceId: readString(fields, 'instanceId'),
    certificate: readString(fields, 'certificate'),
    authority: readString(fields, 'authority'),
    expiresAtMs: readCount(fields, 'expiresAtMs'),
  };
}
