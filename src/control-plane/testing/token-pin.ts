import type { Store } from '../../store/index.ts';
import { issuingPin, requireAuthorities } from '../joining/index.ts';

/** The pin of the authority that issues. */
export async function tokenPin(store: Store): Promise<string> {
  return issuingPin(await requireAuthorities(store));
}
