import { setTimeout as pause } from 'node:timers/promises';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { type RunningInstance, until } from '../../test-support/running-instance.ts';
import type { SeededRandom } from '../../test-support/seeded-random.ts';
import type { ChaosTally } from './chaos-tally.ts';
import type { CredentialLedger } from './credential-ledger.ts';
import { GUARDED_PATH } from './guarded-route.ts';

/** Of valid keys and of revoked ones, so many of the newest are all tried each time: only long rounds write more. */
const NEWEST_TRIED = 300;
/** Of the others, of which there are more and more, some. */
const OTHERS_TRIED = 50;
const BETWEEN_WRITES_MS = 200;

/** Resolves when a write is answered and in force at every gateway that is connected, of which there are `expected`. */
export async function untilCurrent(instance: RunningInstance, expected = 1): Promise<void> {
  await until(
    async () => {
      const answer = await instance.admin('PUT', '/apisix/admin/consumers/barrier', { username: 'barrier' }).catch(() => undefined);
      if (answer?.headers['portcullis-applied'] === `${expected}/${expected}`) return true;
      // Each is a write: without a pause those of a gateway that takes half a minute to come back fill a small disk.
      await pause(BETWEEN_WRITES_MS);
      return false;
    },
    'writes are in force at the gateway again',
    60_000,
  );
}

/** Holds the store and the gateway against all that was acknowledged; what was uncertain is settled by what is found. */
export async function checkLedger(
  options: {
    /** Its Admin API is asked. */
    readonly instance: RunningInstance;
    /** Of the gateway; the instance's own when absent. */
    readonly gatewayPort?: number;
    readonly ledger: CredentialLedger;
    readonly tally: ChaosTally;
    readonly random: SeededRandom;
  },
  consumers: readonly string[],
): Promise<void> {
  const { instance, ledger, tally, random } = options;
  const stored = new Map<string, string>();
  for (const consumer of consumers) {
    const answer = await instance.admin('GET', `/apisix/admin/consumers/${consumer}/credentials`);
    if (answer.status !== 200) throw new Error(`the list of credentials was answered with ${answer.status}`);
    for (const { id, key } of listedCredentials(answer.body)) stored.set(`${consumer}/${id}`, key);
  }
  for (const entry of ledger.entries) {
    const found = { key: stored.get(`${entry.consumer}/${entry.id}`) };
    const isAsAcknowledged = found.key === entry.acknowledged.key;
    const isAsSent = entry.uncertain !== undefined && found.key === entry.uncertain.key;
    if (!isAsAcknowledged && !isAsSent) {
      tally.writeLost(
        `${entry.consumer}/${entry.id} is ${wordFor(found.key)} in the store and was acknowledged as ${wordFor(entry.acknowledged.key)}`,
      );
    }
    ledger.settle(entry, found);
  }
  const port = options.gatewayPort ?? instance.ports.http;
  await tryKeys({ port, tally }, newestAndSome(random, ledger.valid), 200);
  await tryKeys({ port, tally }, newestAndSome(random, ledger.revoked), 401);
}

function newestAndSome(random: SeededRandom, keys: readonly string[]): readonly string[] {
  const others = random.shuffle(keys.slice(0, -NEWEST_TRIED)).slice(0, OTHERS_TRIED);
  return [...others, ...keys.slice(-NEWEST_TRIED)];
}

async function tryKeys(
  { port, tally }: { readonly port: number; readonly tally: ChaosTally },
  keys: readonly string[],
  expected: 200 | 401,
): Promise<void> {
  for (const key of keys) {
    const status = await statusFor({ port, path: GUARDED_PATH, key });
    tally.requests++;
    if (status === expected) continue;
    if (typeof status === 'number') tally.writeLost(`a key that must be answered ${expected} is answered ${status} at the gateway`);
    else tally.requestFailed(`after recovery: ${status}`);
  }
}

function wordFor(key: string | undefined): string {
  return key === undefined ? 'absent' : `present with the key ${key.slice(0, 6)}…`;
}

function listedCredentials(body: unknown): readonly { readonly id: string; readonly key: string }[] {
  if (typeof body !== 'object' || body === null || !('list' in body) || !Array.isArray(body.list)) throw new Error('no list was answered');
  return body.list.map((each: { id: string; plugins: { 'key-auth': { key: string } } }) => ({
    id: each.id,
    key: each.plugins['key-auth'].key,
  }));
}
