import type { IncomingMessage, ServerResponse } from 'node:http';
import { PortcullisError } from '../errors/index.ts';
import { messageOf } from '../lib/message-of.ts';
import type { Logger } from '../observability/logger.ts';
import {
  type GrantedIdentity,
  type JoinRequest,
  MAX_JOIN_BYTES,
  parseJoinRequest,
  parseRenewRequest,
  type RenewRequest,
} from './join-messages.ts';
import type { VerifiedInstance } from './verify-instance-certificate.ts';

/** Who decides about certificates. Refusals are thrown as PortcullisError. */
export interface Enrollment {
  /** The client has shown no certificate; nothing of the request has been verified. */
  join(request: JoinRequest, address: string): Promise<GrantedIdentity>;
  /** The handshake has proven who asks; its certificate holds, or has expired less than the grace ago. */
  renew(request: RenewRequest, instance: VerifiedInstance, address: string): Promise<GrantedIdentity>;
}

/** How long an expired certificate may still be renewed, and do nothing else. */
export const RENEWAL_GRACE_MS = 30 * 86_400_000;

/** A request for a certificate. `peer` is undefined for one that joins. */
export interface CertificateRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly peer: VerifiedInstance | undefined;
  readonly address: string;
}

/** Answers a request for a certificate, in JSON. Never rejects. */
export async function answerCertificateRequest(
  enrollment: Enrollment,
  { request, response, peer, address }: CertificateRequest,
  log: Logger,
): Promise<void> {
  try {
    const text = await readText(request);
    const granted =
      peer === undefined
        ? await enrollment.join(understood(parseJoinRequest, text), address)
        : await enrollment.renew(understood(parseRenewRequest, text), peer, address);
    send(response, 200, granted);
  } catch (error) {
    const failure = error instanceof PortcullisError ? error : new PortcullisError('admin_internal', { cause: error });
    if (failure.code.status >= 500) log.error('a certificate could not be issued', { address }, error);
    else log.warn('a certificate was refused', { address, ...peer?.name, reason: failure.reason });
    const { retryAfterSeconds } = failure;
    const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
    send(response, failure.code.status, { error_msg: failure.publicMessage, reason: failure.reason }, headers);
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length > MAX_JOIN_BYTES) throw new PortcullisError('admin_body_too_large');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof PortcullisError) throw error;
    throw new PortcullisError('join_malformed', { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function understood<Request>(parse: (text: string) => Request, text: string): Request {
  try {
    return parse(text);
  } catch (error) {
    throw new PortcullisError('join_malformed', { publicMessage: `the request is not one for a certificate: ${messageOf(error)}` });
  }
}

function send(response: ServerResponse, status: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close', ...headers });
  response.end(JSON.stringify(body));
}
