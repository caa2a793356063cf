import { PortcullisError } from '../errors/index.ts';

/**
 * The connection was lost while the commit of usage was under way: the rows may be there already, or come to be there later.
 * Whoever has them must ask before he gives them again, else they are counted twice.
 */
export class UsageInDoubt extends PortcullisError {
  /** Rejects as long as nobody can know. */
  readonly wasAdded: () => Promise<boolean>;

  constructor(cause: unknown, wasAdded: () => Promise<boolean>) {
    super('store_unavailable', { detail: 'the connection was lost while usage was committed', cause });
    this.wasAdded = wasAdded;
  }
}
