import type { X509Certificate } from 'node:crypto';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { nodeTls } from '../lib/node-tls.ts';
import { authorityPin } from './authority-pin.ts';
import type { ControlPlaneAddress } from './control-plane-rotation.ts';
import { type GrantedIdentity, JOIN_PATH, MAX_JOIN_BYTES, parseGrantedIdentity, RENEW_PATH } from './join-messages.ts';
import type { JoinToken } from './join-token.ts';
import { joinStatement, provePossession, renewStatement } from './key-possession.ts';
import type { SubscriberIdentity } from './sync-client.ts';

/** The control plane has understood the request for a certificate and will not grant it, however often it is asked. */
export class CertificateRefused extends Error {
  /** From the table of errors. */
  readonly reason: string;

  constructor(message: string, reason: string) {
    super(message);
    this.name = 'CertificateRefused';
    this.reason = reason;
  }
}

/** A key pair that was made here; PEM. */
export interface OwnKeys {
  /** SPKI. */
  readonly publicKey: string;
  /** PKCS #8. It is never sent. */
  readonly privateKey: string;
}

const TIMEOUT_MS = 10_000;
/** Certificates in a chain that is looked at. */
const LONGEST_CHAIN = 8;
const MAX_TOLD = 500;

/**
 * Asks a control plane for a first certificate.
 *
 * It is asked twice who it is: a first connection, on which nothing is sent, shows a chain with the authority that the token names by its
 * pin; a second one is verified by that authority alone, host name included. Only then the token's secret is sent.
 *
 * @throws CertificateRefused; Error when the control plane cannot be reached, is another one, or cannot answer now: try again
 */
export async function requestJoin(options: {
  readonly controlPlane: ControlPlaneAddress;
  readonly token: JoinToken;
  readonly hostname: string;
  readonly keys: OwnKeys;
  readonly clock: Clock;
}): Promise<GrantedIdentity> {
  const { controlPlane, token, hostname, keys, clock } = options;
  const authority = await findAuthority(controlPlane, token.authorityPin, clock);
  const { publicKey, privateKey } = keys;
  const proof = provePossession(privateKey, joinStatement(token.id, publicKey));
  const body = { tokenId: token.id, secret: token.secret, hostname, publicKey, proof };
  // The authority may be shown as certified by the one before it: it is trusted for itself, and nothing above it.
  return post({ ...controlPlane, path: JOIN_PATH, ca: authority.toString(), allowPartialTrustChain: true }, body, clock);
}

/**
 * Asks a control plane for the next certificate, by the present one, which may have expired not long ago.
 *
 * @throws CertificateRefused; Error when the control plane cannot be reached, is another one, or cannot answer now: try again
 */
export async function requestRenewal(options: {
  readonly controlPlane: ControlPlaneAddress;
  readonly identity: SubscriberIdentity;
  readonly keys: OwnKeys;
  readonly clock: Clock;
}): Promise<GrantedIdentity> {
  const { controlPlane, identity, keys, clock } = options;
  const proof = provePossession(keys.privateKey, renewStatement(identity.instanceId, keys.publicKey));
  const { authority: ca, certificate: cert, privateKey: key } = identity;
  return post({ ...controlPlane, path: RENEW_PATH, ca, cert, key }, { publicKey: keys.publicKey, proof }, clock);
}

/** Node's types do not know this option yet. */
type PostOptions = RequestOptions & { readonly allowPartialTrustChain?: boolean };

/** @throws Error when the server shows no such authority */
function findAuthority({ host, port }: ControlPlaneAddress, pin: string, clock: Clock): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    // Nothing is believed and nothing is sent: this only fetches the certificates to look at.
    nodeTls();
    const socket = connect({ host, port, servername: serverName(host), minVersion: 'TLSv1.3', rejectUnauthorized: false });
    const cancel = clock.schedule(TIMEOUT_MS, () => socket.destroy(new Error('the control plane did not answer in time')));
    socket.once('secureConnect', () => {
      const found = chainOf(socket).find((certificate) => certificate.ca && authorityPin(certificate) === pin);
      socket.destroy();
      if (found !== undefined) resolve(found);
      else reject(new Error(`${host}:${port} is not certified by the authority that the join token names: nothing was sent to it`));
    });
    socket.once('error', reject);
    socket.once('close', () => {
      cancel();
      reject(new Error('the control plane closed the connection'));
    });
  });
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < LONGEST_CHAIN) {
    chain.push(certificate);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

/** An address is no name that a server could be asked for (RFC 6066 §3). */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}

function post(options: PostOptions, body: object, clock: Clock): Promise<GrantedIdentity> {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    nodeTls();
    const asking = httpsRequest({ ...options, method: 'POST', headers, agent: false, minVersion: 'TLSv1.3' }, (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        answer += part;
        if (answer.length > MAX_JOIN_BYTES) asking.destroy(new Error('the answer of the control plane is too long'));
      });
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(readAnswer(response.statusCode ?? 0, answer));
        } catch (error) {
          reject(error);
        }
      });
    });
    const cancel = clock.schedule(TIMEOUT_MS, () => asking.destroy(new Error('the control plane did not answer in time')));
    asking.on('error', reject);
    asking.on('close', cancel);
    asking.end(text);
  });
}

function readAnswer(status: number, text: string): GrantedIdentity {
  if (status === 200) return parseGrantedIdentity(text);
  const { message, reason } = readRefusal(text);
  if (status === 403 || status === 400) throw new CertificateRefused(message ?? `the control plane answered ${status}`, reason);
  const told = message === undefined ? '' : `: ${message}`;
  throw new Error(`the control plane answered ${status} to the request for a certificate${told}`);
}

function readRefusal(text: string): { readonly message: string | undefined; readonly reason: string } {
  let fields: ReadonlyMap<string, unknown> = new Map();
  try {
    fields = new Map(Object.entries(JSON.parse(text)));
  } catch {
    // Whoever answered so is no control plane of today.
  }
  const [message, reason] = [fields.get('error_msg'), fields.get('reason')];
  return {
    message: typeof message === 'string' ? message.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_TOLD) : undefined,
    reason: typeof reason === 'string' ? reason.slice(0, MAX_TOLD) : '',
  };
}
