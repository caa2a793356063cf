import { issueInstanceCertificate } from '../distribution/index.ts';
import { StartError } from '../errors/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Author, Store } from '../store/index.ts';
import { issuingPin, noteIssued, requireAuthorities, trustedAuthorities } from './joining/index.ts';

/** Which instance is certified, and by whom. */
export interface CreateInstanceCertificateOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly author: Author;
  readonly groupId: string;
  readonly instanceId: string;
  /** SPKI, PEM. */
  readonly publicKey: string;
  /** From where it was asked for, over the network. */
  readonly address?: string;
}

/**
 * Certifies the public key of a gateway instance for one group, straight from the store; audited.
 *
 * @throws PortcullisError (`instance_revoked`); StartError when the group does not exist, or no control plane has ever completed its first start there.
 */
export async function createInstanceCertificate(
  options: CreateInstanceCertificateOptions,
): Promise<{ readonly certificate: string; readonly authority: string; readonly expiresAtMs: number }> {
  const { store, clock, author, groupId, instanceId, publicKey, address } = options;
  const authorities = await requireAuthorities(store);
  if ((await store.getGroup(groupId)) === undefined) throw new StartError(`There is no gateway group "${groupId}".`);
  const issued = await issueInstanceCertificate(authorities.issuing, { groupId, instanceId, publicKey }, clock);
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const authority = issuingPin(authorities);
  await store.transaction(author, async (transaction) => {
    await noteIssued(transaction, { id: instanceId, groupId, issued, authority, nowSeconds });
    await transaction.appendAudit({
      at: nowSeconds,
      author,
      action: 'instance.certify',
      groupId,
      resource: instanceId,
      address,
      detail: { expiresAtMs: issued.expiresAtMs },
    });
  });
  return { ...issued, authority: trustedAuthorities(authorities) };
}
