import { PortcullisError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Logger } from '../../observability/index.ts';
import { formatIssues, type Issue, type Validator } from '../../schema/index.ts';
import type { Author, Store, StoreTransaction } from '../../store/index.ts';
import type { UserCaller } from '../auth/index.ts';
import { type ApiRequest, originOfRequest } from '../http/index.ts';
import type { People } from './people.ts';

/** What the operations on people work with. */
export interface PeopleContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly people: People;
}

/** The user who calls a route that is neither public nor open to the admin keys of gateway groups. */
export function callerOf({ caller }: ApiRequest): UserCaller {
  if (caller === undefined || caller.by === 'admin_key') throw new Error('a route for users was reached by somebody else');
  return caller;
}

/** The body as a validator wants it. @throws PortcullisError 400 that names every fault by its JSON pointer */
export function readBody<Value>(request: ApiRequest, validator: Validator<Value>): Value {
  const validation = validator(request.body());
  if (!validation.ok) throw invalid(validation.issues);
  return validation.value;
}

/** 400 for these faults. */
export function invalid(issues: readonly Issue[]): PortcullisError {
  return new PortcullisError('admin_invalid', { publicMessage: formatIssues(issues) });
}

/** 400 for one fault. */
export function invalidAt(pointer: string, message: string): PortcullisError {
  return invalid([{ pointer, message }]);
}

/** What stands in the audit log of a change. */
export interface Change {
  /** e.g. `user.delete` */
  readonly action: string;
  /** e.g. `user/<id>` */
  readonly resource: string;
  /** No secret. */
  readonly detail?: JsonObject;
}

/**
 * Makes a change and its audit entry in one transaction, in the name of the caller (or of `author`, on public routes). The entry tells where
 * the request came from and why.
 *
 * @throws PortcullisError 400 for a reason that cannot be kept, 401 and 403 for a caller who is not any more who he was
 */
export async function change<Result>(
  context: PeopleContext,
  request: ApiRequest,
  work: (transaction: StoreTransaction) => Promise<Change & { readonly result: Result }>,
  author: Author = callerOf(request).author,
): Promise<Result> {
  return context.store.transaction({ ...author, origin: originOfRequest(request) }, async (transaction) => {
    await requireSameCaller(context, request, transaction);
    const { result, action, resource, detail = {} } = await work(transaction);
    await transaction.appendAudit({
      at: Math.floor(context.clock.nowMs() / 1000),
      author,
      action,
      groupId: undefined,
      resource,
      address: request.address,
      detail,
    });
    return result;
  });
}

/**
 * The transaction may have waited for its turn. Whoever has lost what let him in meanwhile, or has other permissions now, does nothing: a
 * thief who asks for tokens all the time would otherwise have one after the password was reset.
 *
 * @throws PortcullisError 401, 403
 */
async function requireSameCaller({ people }: PeopleContext, { caller }: ApiRequest, transaction: StoreTransaction): Promise<void> {
  if (caller === undefined || caller.by === 'admin_key') return;
  const state = await people.authenticator.stateOf(caller, transaction);
  if (state === 'gone') throw new PortcullisError('admin_unauthorized');
  if (state === 'changed') {
    throw new PortcullisError('admin_forbidden', { publicMessage: 'Forbidden: your permissions have changed meanwhile: try again' });
  }
}

/** The time by which things expire, in Unix seconds. */
export function expiryNow({ people }: PeopleContext): number {
  return Math.floor(people.expiryClock.nowMs() / 1000);
}

/** 404 for something of a kind. */
export function notFound(noun: string): PortcullisError {
  return new PortcullisError('admin_not_found', { publicMessage: `${noun} not found` });
}
