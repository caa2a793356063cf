import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Author, Store, StoreTransaction } from '../../store/index.ts';
import { issuingPin, pinOf, requireAuthorities, retireAuthority, rotateAuthority } from './authorities.ts';
import { type KnownInstance, listInstances } from './known-instances.ts';

/** Who changes the authorities of an installation. */
export interface ChangeAuthoritiesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly author: Author;
}

/** Named in a message. */
const MOST_NAMED = 5;

/**
 * Makes a new authority, which issues all certificates from now on; the one before is trusted too until it is retired. Running control planes take it
 * up within seconds, and connected gateways renew then. Audited.
 *
 * @throws StartError while the authority before that has not been retired
 */
export async function rotateAuthorities({ store, clock, author }: ChangeAuthoritiesOptions): Promise<{ readonly pin: string }> {
  return store.transaction(author, async (transaction) => {
    const pin = issuingPin(await rotateAuthority(transaction, clock));
    await audit(transaction, { clock, author, action: 'authority.rotate', pin });
    return { pin };
  });
}

/**
 * Ends the trust in the authority before the present one: certificates that it has issued are refused within seconds. Audited.
 *
 * @param options.force also while instances have no certificate of the present one
 * @throws StartError where there is none, and unless forced while instances would be shut out, which are named
 */
export async function retireFormerAuthority(
  options: ChangeAuthoritiesOptions & { readonly force: boolean },
): Promise<{ readonly pin: string }> {
  const { store, clock, author, force } = options;
  return store.transaction(author, async (transaction) => {
    const present = issuingPin(await requireAuthorities(transaction));
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    const shutOut = (await listInstances(transaction)).filter((instance) => isShutOut(instance, present, nowSeconds));
    const former = await retireAuthority(transaction);
    if (shutOut.length > 0 && !force) {
      const names = shutOut.slice(0, MOST_NAMED).map(({ id, hostname }) => (hostname === '' ? id : `${id} (${hostname})`));
      const others = shutOut.length > names.length ? ` and ${shutOut.length - names.length} more` : '';
      throw new StartError(
        `These instances have no certificate of the present authority yet and would be shut out: ${names.join(', ')}${others}. Wait until they have been connected, revoke those that are gone, or add --force.`,
      );
    }
    const pin = pinOf(former.certificate);
    await audit(transaction, { clock, author, action: 'authority.retire', pin });
    return { pin };
  });
}

function isShutOut({ revokedAt, certificates }: KnownInstance, present: string, nowSeconds: number): boolean {
  const [latest] = certificates.slice(-1);
  return revokedAt === null && latest !== undefined && latest.authority !== present && latest.expiresAt > nowSeconds;
}

async function audit(
  transaction: StoreTransaction,
  entry: { readonly clock: Clock; readonly author: Author; readonly action: string; readonly pin: string },
): Promise<void> {
  const { clock, author, action, pin } = entry;
  await transaction.appendAudit({
    ...{ at: Math.floor(clock.nowMs() / 1000), author, action, groupId: undefined, resource: 'sync-authority', address: undefined },
    detail: { authority_pin: pin },
  });
}
