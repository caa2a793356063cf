import { PortcullisError } from '../../errors/index.ts';
import type { Policy, Role } from '../access/index.ts';
import { notFound } from './people-context.ts';

/** @throws PortcullisError 404 */
export function found<Kept extends Role | Policy>(kept: Kept | undefined, noun: string): Kept {
  if (kept === undefined) throw notFound(noun);
  return kept;
}

/** @throws PortcullisError 403 for what is built in */
export function changeable<Kept extends Role | Policy>(kept: Kept, noun: string): Kept {
  if (kept.type === 'custom') return kept;
  throw new PortcullisError('admin_forbidden', { publicMessage: `Forbidden: the ${noun} ${kept.name} is built in and cannot be changed` });
}
