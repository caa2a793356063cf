import { X509Certificate } from 'node:crypto';
import { authorityPin } from '../../distribution/index.ts';
import type { Store } from '../../store/index.ts';
import { readAuthorities } from '../joining/index.ts';

/** The pin of the authority that issues. */
export async function tokenPin(store: Store): Promise<string> {
  const authorities = await readAuthorities(store);
  if (authorities === undefined) throw new Error('there is no authority');
  return authorityPin(new X509Certificate(authorities.issuing.certificate));
}
