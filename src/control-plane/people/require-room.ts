import { PortcullisError } from '../../errors/index.ts';
import type { StoreReader } from '../../store/index.ts';

/**
 * Lists of roles, permission policies and login options are read as a whole: there is an end to them.
 *
 * @throws PortcullisError 409 when there are `most` records of the kind already
 */
export async function requireRoom(store: Pick<StoreReader, 'listRecords'>, kind: string, most: number, noun: string): Promise<void> {
  if ((await store.listRecords(kind)).length < most) return;
  throw new PortcullisError('admin_conflict', { publicMessage: `there are ${most} ${noun} already: remove one first` });
}
