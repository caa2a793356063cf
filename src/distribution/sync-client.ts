import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { nodeTls } from '../lib/node-tls.ts';
import { REASON_HEADER, SYNC_PATH, SYNC_UPGRADE } from './protocol.ts';

/** The certificate by which an instance is known to control planes, and the authority by which it knows them; all PEM. */
export interface SubscriberIdentity {
  readonly groupId: string;
  readonly instanceId: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority: string;
}

/**
 * Opens a sync connection over mutual TLS 1.3. The server must show a certificate of the authority that names `host`.
 * @throws Error when it cannot be opened within `timeoutMs` or `signal` ends the attempt
 */
export function openSyncConnection(options: {
  readonly host: string;
  readonly port: number;
  readonly identity: SubscriberIdentity;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}): Promise<{ readonly socket: Duplex; readonly head: Buffer }> {
  const { host, port, identity, clock, signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    nodeTls();
    const opening = request({
      host,
      port,
      path: SYNC_PATH,
      headers: { Connection: 'Upgrade', Upgrade: SYNC_UPGRADE },
      agent: false,
      minVersion: 'TLSv1.3',
      ca: identity.authority,
      cert: identity.certificate,
      key: identity.privateKey,
    });
    const cancel = (): unknown => opening.destroy(new Error('the attempt was given up'));
    const cancelTimeout = clock.schedule(timeoutMs, () => opening.destroy(new Error('the control plane did not answer in time')));
    const settled = (): void => {
      cancelTimeout();
      signal.removeEventListener('abort', cancel);
    };
    signal.addEventListener('abort', cancel);
    opening.on('upgrade', (_response, socket, head) => {
      settled();
      resolve({ socket, head });
    });
    opening.on('response', (response) => {
      const reason = response.headers[REASON_HEADER.toLowerCase()];
      const told = typeof reason === 'string' ? `: ${reason}` : '';
      opening.destroy(new Error(`the control plane answered ${response.statusCode} to the sync request${told}`));
    });
    opening.on('error', (error) => {
      settled();
      reject(error);
    });
    opening.end();
  });
}
