import { PortcullisError } from '../../errors/index.ts';
import type { Turns } from '../../lib/turns.ts';
import { type Author, type ResourceKey, SharedConflict, type StoreTransaction, UniqueConflict } from '../../store/index.ts';
import type { ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import type { BulkFaults } from './bulk-faults.ts';
import { BULK_LIMITS } from './bulk-limits.ts';
import type { BulkOperation } from './bulk-operation.ts';
import type { BulkPlan } from './bulk-plan.ts';
import { BulkItemRequest } from './bulk-request.ts';
import { removeResource } from './delete-resource.ts';
import type { ExaminedDocument } from './examine-document.ts';
import { orderBulk } from './order-bulk.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { permitKind } from './resource-permissions.ts';
import { translateConflicts } from './unique-conflicts.ts';
import { namedBy } from './warnings-for-references.ts';
import { keysOfWrite, type ResourceWriting, storeResource, warningsOf } from './write-resource.ts';

/** Ends the transaction of a bulk of which something is refused. The faults tell what. */
export class BulkRefused extends Error {}

/** What a bulk came to. */
export interface BulkOutcome {
  /** The group's revision before and after. */
  readonly previous: number;
  readonly revision: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly warnings: readonly string[];
}

/** What a bulk is applied with. */
export interface BulkApplication {
  readonly context: ApiContext;
  readonly request: ApiRequest;
  readonly author: Author;
  readonly groupId: string;
  readonly plan: BulkPlan;
  readonly faults: BulkFaults;
  readonly turns: Turns;
}

/**
 * Does all operations of a bulk in one transaction, each with the checks, the history and the audit entry of a single write. Goes on after an
 * operation that is refused, so that the faults of all are told.
 *
 * @throws BulkRefused when one is refused; PortcullisError 404, 412 for the bulk as a whole
 */
export async function applyBulk(application: BulkApplication, transaction: StoreTransaction): Promise<BulkOutcome> {
  const { request, groupId, faults } = application;
  const group = await transaction.getGroup(groupId);
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  checkWritePreconditions(request, group.revision);
  const run = new BulkRun(application, transaction);
  await run.doAll();
  if (faults.count > 0) throw new BulkRefused();
  const revision = (await transaction.getGroup(groupId))?.revision ?? group.revision;
  return { previous: group.revision, revision, ...run.counts, warnings: await run.warnings() };
}

/** So many operations are foreseen together. */
const FORESEEN_AT_ONCE = 500;

interface Written {
  readonly operation: BulkOperation;
  readonly examined: ExaminedDocument;
}

class BulkRun {
  readonly counts = { created: 0, updated: 0, deleted: 0 };
  readonly #application: BulkApplication;
  readonly #transaction: StoreTransaction;
  readonly #done = new Set<number>();
  readonly #written: Written[] = [];

  constructor(application: BulkApplication, transaction: StoreTransaction) {
    this.#application = application;
    this.#transaction = transaction;
  }

  async doAll(): Promise<void> {
    const { plan, faults, turns } = this.#application;
    const ordered = orderBulk(plan.operations);
    for (const [place, operation] of ordered.entries()) {
      if (turns.isDue) await turns.pass();
      if (place % FORESEEN_AT_ONCE === 0) await this.#foresee(ordered.slice(place, place + FORESEEN_AT_ONCE));
      const aboutParent = plan.aboutParentOf(operation);
      // Without its parent it could only be told that this is missing, which is not what is wrong.
      if (faults.has(operation.index) || (aboutParent !== undefined && faults.has(aboutParent.index))) continue;
      await this.#attempt(operation);
    }
  }

  /** At most so many, and how many there are besides. */
  async warnings(): Promise<readonly string[]> {
    const { context, turns } = this.#application;
    const warnings: string[] = [];
    let unlisted = 0;
    for (const [place, { operation, examined }] of this.#written.entries()) {
      if (turns.isDue) await turns.pass();
      if (place % FORESEEN_AT_ONCE === 0) await this.#foreseeNamed(this.#written.slice(place, place + FORESEEN_AT_ONCE));
      for (const warning of await warningsOf({ context, ...operation }, this.#transaction, examined)) {
        if (warnings.length < BULK_LIMITS.listedWarnings) warnings.push(`operation ${operation.index}: ${warning}`);
        else unlisted += 1;
      }
    }
    return unlisted === 0 ? warnings : [...warnings, `and ${unlisted} more`];
  }

  async #foresee(operations: readonly BulkOperation[]): Promise<void> {
    const { groupId, plan } = this.#application;
    await this.#transaction.foresee({
      groupId,
      keys: operations.flatMap(({ kind, key }) => keysOfWrite(kind, key)),
      unique: operations.flatMap((operation) => plan.uniqueOf(operation)),
    });
  }

  async #foreseeNamed(written: readonly Written[]): Promise<void> {
    const { groupId } = this.#application;
    const keys = written.flatMap(({ operation: { kind, key }, examined }) => namedBy(kind, key, examined.document));
    if (keys.length > 0) await this.#transaction.foresee({ groupId, keys });
  }

  async #attempt(operation: BulkOperation): Promise<void> {
    const { context, faults } = this.#application;
    let examined: ExaminedDocument | undefined;
    const note = (document: ExaminedDocument): ExaminedDocument => {
      examined = document;
      return document;
    };
    try {
      await translateConflicts(
        context.plugins,
        () => this.#do(operation, note),
        () => examined?.shared ?? [],
      );
    } catch (error) {
      // A store that has failed once may refuse everything else of the transaction: what was found wrong before is still wrong.
      const isStoreFailure = error instanceof PortcullisError && error.reason === 'store_unavailable';
      if (isStoreFailure && faults.count > 0) throw new BulkRefused();
      faults.addError(operation, error);
    }
  }

  async #do(operation: BulkOperation, note: (document: ExaminedDocument) => ExaminedDocument): Promise<void> {
    const { context, author, request } = this.#application;
    const { kind, key, method } = operation;
    const item = { context, request: new BulkItemRequest(request, operation), kind, key };
    this.#done.add(operation.index);
    permitKind(item.request, kind, method === 'delete' ? 'delete' : 'write', key.groupId);
    if (method === 'delete') {
      await removeResource(item, this.#transaction, author, false);
      this.counts.deleted += 1;
      return;
    }
    const examine = this.#application.plan.examineOf(operation, item.request);
    const writing: ResourceWriting = {
      ...item,
      mode: method,
      isOneOfMany: true,
      examine: (current: Parameters<typeof examine>[0]) => note(examine(current)),
    };
    const { isNew, examined } = await this.#releasing(() => storeResource(writing, this.#transaction, author));
    this.counts[isNew ? 'created' : 'updated'] += 1;
    this.#written.push({ operation, examined });
  }

  /** Repeats a write for which others of the bulk, that are still to be written, must first let go of what it is to hold. */
  async #releasing<Result>(write: () => Promise<Result>): Promise<Result> {
    const released = new Set<BulkOperation>();
    for (;;) {
      try {
        return await write();
      } catch (error) {
        const holder = error instanceof UniqueConflict || error instanceof SharedConflict ? this.#stillToCome(error.holder) : undefined;
        if (holder === undefined || released.has(holder)) throw error;
        released.add(holder);
        await this.#transaction.releaseValues(holder.key);
      }
    }
  }

  #stillToCome(key: ResourceKey): BulkOperation | undefined {
    const { plan, faults } = this.#application;
    const operation = plan.about(key);
    return operation === undefined || this.#done.has(operation.index) || faults.has(operation.index) ? undefined : operation;
  }
}
