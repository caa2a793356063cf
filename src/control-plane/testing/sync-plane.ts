import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import type { OwnKeys } from '../../distribution/gateway-side.ts';
import { formatJoinToken, openHistory, Publisher } from '../../distribution/index.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Store } from '../../store/index.ts';
import { randomId, randomSecret } from '../auth/index.ts';
import { openInstallation } from '../first-start.ts';
import { CertificateDesk, digestSecret, putJoinToken, SyncAdmission } from '../joining/index.ts';
import { openControlPlaneStore } from '../open-control-plane-store.ts';
import { tokenPin } from './token-pin.ts';

const AUTHOR = { id: 'test', name: 'test' };

/** What of a control plane gateways meet: the sync port, with everything about joining, on a real store. */
export interface SyncPlane {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly log: RecordingLogger;
  readonly port: number;
  /** Makes a join token of the group `default`. */
  makeToken(change?: { readonly maxUses?: number; readonly expiresAt?: number }): Promise<{ readonly id: string; readonly text: string }>;
}

export async function startSyncPlane(test: TestContext, opened?: Store, clock: Clock = systemClock): Promise<SyncPlane> {
  const store = opened ?? (await openTestStore(test, clock));
  const log = new RecordingLogger();
  const bootstrap = { bootstrapToken: 'a-token-that-only-tests-know', adminPassword: 'password' };
  const { installation } = await openInstallation({ store, ...bootstrap, clock, random: systemRandom });
  const admission = await SyncAdmission.open({ store, serverNames: ['localhost', '127.0.0.1'], clock });
  const publisher = new Publisher({
    ...{
      store,
      random: systemRandom,
      compareIntervalMs: 0,
      clock,
      log,
      softwareVersion: '0.0.0-test',
      plugins: [],
      signingKey: installation.signingKey,
      keySalt: installation.keySalt,
    },
    listeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }],
    ...{ tls: admission.tls, admission, history: await openHistory({ store, random: systemRandom }) },
    enrollment: new CertificateDesk({ store, authorities: () => admission.authorities, clock, expiryClock: clock, log }),
  });
  const { ports } = await publisher.start();
  test.after(() => publisher.close());
  return {
    ...{ store, publisher, log, port: ports[0] ?? 0 },
    makeToken: async ({ maxUses = 1, expiresAt = Math.floor(clock.nowMs() / 1000) + 60 } = {}) => {
      const [id, secret] = [randomId(systemRandom), randomSecret(systemRandom)];
      const digest = digestSecret(secret);
      const fixed = { name: 'test', groupId: 'default', createdAt: 1, uses: 0, lastUsedAt: null, revokedAt: null, author: 'test' };
      await store.transaction(AUTHOR, (transaction) => putJoinToken(transaction, { id, digest, maxUses, expiresAt, ...fixed }));
      return { id, text: formatJoinToken({ id, secret, authorityPin: await tokenPin(store) }) };
    },
  };
}

async function openTestStore(test: TestContext, clock: Clock): Promise<Store> {
  const folder = await temporaryFolder(test);
  const fixed = { dataFolder: folder, keyringFile: `${folder}/keyring.json`, database: undefined, random: systemRandom };
  const store = await openControlPlaneStore({ ...fixed, clock });
  test.after(() => store.close());
  return store;
}

export function makeTestKeys(): OwnKeys {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** Sends one request over TLS, with a certificate where there is one, and gives all that is answered until the server closes or says `101`. */
export async function exchange(
  port: number,
  head: string,
  shown: { readonly cert?: string; readonly key?: string } = {},
): Promise<{ readonly answer: string; readonly socket: TLSSocket }> {
  const socket = connect({ host: '127.0.0.1', port, ...shown, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write(head);
  let answer = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    answer += chunk;
    if (answer.startsWith('HTTP/1.1 101')) break;
  }
  return { answer, socket };
}
