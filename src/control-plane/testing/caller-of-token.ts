import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import type { Clock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Store } from '../../store/index.ts';
import { readAccess } from '../access/index.ts';
import type { Authenticator, Caller, UserCaller } from '../auth/index.ts';
import { openPeople } from '../people/index.ts';

/** The user whom a value of `X-API-KEY` stands for in a store. */
export async function callerOfToken(
  store: Store,
  expiryClock: Pick<Clock, 'nowMs'>,
  token: string | undefined,
): Promise<UserCaller | undefined> {
  const parts = { store, expiryClock, clock: new FakeClock(), random: systemRandom, log: new RecordingLogger(), onSignIn: () => undefined };
  const { authenticator } = openPeople(parts);
  const caller = await authenticator.authenticate({ token, authorization: undefined, cookie: undefined, address: '127.0.0.1' });
  return caller?.by === 'admin_key' ? undefined : caller;
}

/** Knows one token, whose holder may do everything, and nothing else. */
export function authenticatorOf(token: string): Pick<Authenticator, 'authenticate' | 'renew'> {
  return {
    authenticate: async (shown) => (shown.token === token ? superAdmin() : undefined),
    renew: async (caller) => caller,
  };
}

/** A caller by token who may do everything, without a store. */
async function superAdmin(): Promise<Caller> {
  const user = {
    id: 'u',
    username: 'admin',
    passwordHash: '',
    mustChangePassword: false,
    roles: ['super_admin_id'],
    boundary: [],
    externalId: undefined,
    profile: {},
    createdAt: 0,
    updatedAt: 0,
  };
  const nothingStored = { getRecord: async () => undefined, listRecords: async () => [], getSetting: async () => undefined };
  const access = await readAccess(nothingStored, user);
  return { by: 'token', user, author: { id: 't', name: 't' }, tokenId: 't', sessionId: undefined, access };
}
