import { StartError } from '../errors/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Author, Store } from '../store/index.ts';
import {
  checkGivenToken,
  describeToken,
  expiryAfterDays,
  hashPassword,
  MAX_PASSWORD_CHARACTERS,
  randomId,
  randomPassword,
  randomToken,
} from './auth/index.ts';
import type { FirstStart } from './control-plane-options.ts';
import { type Installation, makeInstallation, readInstallation, writeInstallation } from './installation.ts';

const SYSTEM: Author = { id: 'system', name: 'system' };
const USERNAME = 'admin';
/** The first entry of every audit log. */
export const FOUNDING_ACTION = 'installation.create';
const TOKEN_DAYS = 30;

/** What `openInstallation` needs. */
export interface FirstStartOptions {
  readonly store: Store;
  readonly bootstrapToken: string | undefined;
  readonly adminPassword: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Reads what an installation's control planes share. In a store that never saw a start, makes it, and with it the group `default`,
 * the user `admin` and the first API token: all in one transaction, so that a process that dies leaves everything or nothing, and
 * what the operator gave acts once per store.
 *
 * A given token never expires; a generated one does after 30 days.
 *
 * @throws StartError when the given token or password is of no use
 */
export async function openInstallation(
  options: FirstStartOptions,
): Promise<{ readonly installation: Installation; readonly firstStart: FirstStart | undefined }> {
  const existing = await readInstallation(options.store);
  return existing === undefined ? makeFirstStart(options) : { installation: existing, firstStart: undefined };
}

async function makeFirstStart(
  options: FirstStartOptions,
): Promise<{ readonly installation: Installation; readonly firstStart: FirstStart | undefined }> {
  const { store, bootstrapToken, adminPassword, clock, random } = options;
  if (bootstrapToken !== undefined) checkGivenToken(bootstrapToken);
  if (adminPassword !== undefined) checkGivenPassword(adminPassword);
  const token = bootstrapToken ?? randomToken(random);
  const tokenExpiresAt = bootstrapToken === undefined ? expiryAfterDays(clock.nowMs(), TOKEN_DAYS) : 0;
  const password = adminPassword ?? randomPassword(random);
  const passwordHash = await hashPassword(random, password);
  const installation = await makeInstallation(clock, random);
  const userId = randomId(random);
  const createdAt = Math.floor(clock.nowMs() / 1000);
  const made = await store.transaction(SYSTEM, async (transaction) => {
    // Another process may have been quicker.
    const existing = await readInstallation(transaction);
    if (existing !== undefined) return { installation: existing, isFirst: false };
    await writeInstallation(transaction, installation);
    await transaction.putGroup({ id: 'default', name: 'default', description: '' });
    await transaction.putUser({
      id: userId,
      username: USERNAME,
      passwordHash,
      mustChangePassword: true,
      roles: ['super_admin_id'],
      boundary: [],
      externalId: undefined,
      profile: {},
      createdAt,
      updatedAt: createdAt,
    });
    const tokenId = randomId(random);
    const name = bootstrapToken === undefined ? 'first start' : 'bootstrap';
    await transaction.putToken(describeToken(token, { id: tokenId, name, userId, expiresAt: tokenExpiresAt, clock }));
    await transaction.appendAudit({
      at: createdAt,
      author: SYSTEM,
      action: FOUNDING_ACTION,
      groupId: undefined,
      resource: 'installation',
      address: undefined,
      detail: { user: userId, token: tokenId },
    });
    return { installation, isFirst: true };
  });
  if (!made.isFirst) return { installation: made.installation, firstStart: undefined };
  const firstStart: FirstStart = {
    username: USERNAME,
    password: adminPassword === undefined ? password : undefined,
    token: bootstrapToken === undefined ? token : undefined,
    tokenExpiresAt,
  };
  return { installation, firstStart };
}

function checkGivenPassword(password: string): void {
  const length = [...password].length;
  if (length < 1 || length > MAX_PASSWORD_CHARACTERS) {
    throw new StartError(`The first password of ${USERNAME} must have 1 to ${MAX_PASSWORD_CHARACTERS} characters.`);
  }
}
