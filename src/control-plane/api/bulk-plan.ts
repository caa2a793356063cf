import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Turns } from '../../lib/turns.ts';
import type { PluginFacts } from '../../plugin-kit/index.ts';
import { isJsonObject } from '../../schema/index.ts';
import type { ResourceKey, StoredResource } from '../../store/index.ts';
import type { ApiRequest } from '../http/index.ts';
import { readPatch } from '../patch/index.ts';
import type { ApiContext } from './api-context.ts';
import type { BulkFaults } from './bulk-faults.ts';
import type { BulkOperation } from './bulk-operation.ts';
import { type ExaminedDocument, requireValidDocument } from './examine-document.ts';
import { patchedDocument } from './patch-resource.ts';
import { metadataOfGroup } from './plugin-facts.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { parentKeyOf } from './resource-path.ts';

/** As `ResourceWriting.examine`. */
export type Examine = (current: StoredResource | undefined) => ExaminedDocument;

/** Everything about the operations of one bulk that can be known before its transaction. */
export class BulkPlan {
  readonly operations: readonly BulkOperation[];
  readonly #byName: ReadonlyMap<string, BulkOperation>;
  readonly #examined = new Map<number, ExaminedDocument>();
  readonly #context: ApiContext;
  readonly #facts: PluginFacts;

  private constructor(context: ApiContext, operations: readonly BulkOperation[], facts: PluginFacts) {
    this.#context = context;
    this.operations = operations;
    this.#facts = facts;
    this.#byName = new Map(operations.map((operation) => [nameOf(operation.key), operation]));
  }

  /** Examines whatever is to be put, a slice at a time, and notes what is wrong. */
  static async make(
    context: ApiContext,
    groupId: string,
    operations: readonly BulkOperation[],
    faults: BulkFaults,
    turns: Turns,
  ): Promise<BulkPlan> {
    const plan = new BulkPlan(context, operations, factsOf(context, await metadataOfGroup(context, groupId), operations));
    for (const operation of operations) {
      if (turns.isDue) await turns.pass();
      if (operation.method === 'put') plan.#examine(operation, faults);
    }
    return plan;
  }

  /** The operation about this resource. */
  about(key: ResourceKey): BulkOperation | undefined {
    return this.#byName.get(nameOf(key));
  }

  /** The operation about the parent of what this one is about. */
  aboutParentOf({ kind, key }: BulkOperation): BulkOperation | undefined {
    const parent = parentKeyOf(kind, key);
    return parent === undefined ? undefined : this.about(parent);
  }

  /** The unique values of what is to be put, where they are known before the transaction. */
  uniqueOf({ index }: BulkOperation): ExaminedDocument['unique'] {
    return this.#examined.get(index)?.unique ?? [];
  }

  /** How a put or a patch is examined over what is there now. */
  examineOf(operation: BulkOperation, request: ApiRequest): Examine {
    if (operation.method === 'patch') return this.#patching(operation, request);
    const examined = this.#examined.get(operation.index);
    if (examined === undefined) throw new Error('an operation that was not examined is to be written');
    return () => examined;
  }

  #examine(operation: BulkOperation, faults: BulkFaults): void {
    const { kind, key, body } = operation;
    try {
      const examined = requireValidDocument(kind, body, key.id, { ...this.#context, facts: this.#facts });
      this.#assertOwnerStays(operation, examined.document);
      this.#examined.set(operation.index, examined);
    } catch (error) {
      faults.addError(operation, error);
    }
  }

  #patching(operation: BulkOperation, request: ApiRequest): Examine {
    const { kind, key, body } = operation;
    return (current) => {
      const patch = readPatch(body, undefined);
      if (current === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind.name} not found` });
      checkWritePreconditions(request, current.revision);
      const document = patchedDocument(this.#context, kind, current, patch);
      const examined = requireValidDocument(kind, document, key.id, { ...this.#context, facts: this.#facts });
      this.#assertOwnerStays(operation, examined.document);
      return examined;
    };
  }

  /** What is written and taken along by a delete of the same bulk was not meant. @throws PortcullisError 409 */
  #assertOwnerStays({ kind, key }: BulkOperation, document: JsonObject): void {
    const owner = kind.owner(document, key.parentId);
    if (owner === undefined) return;
    const aboutOwner = this.about({ groupId: key.groupId, kind: owner.kind, parentId: '', id: owner.id });
    if (aboutOwner?.method !== 'delete') return;
    const publicMessage = `the ${owner.kind} ${owner.id} is deleted by operation ${aboutOwner.index}`;
    throw new PortcullisError('admin_conflict', { publicMessage });
  }
}

/** Ids hold no spaces. */
function nameOf({ kind, parentId, id }: ResourceKey): string {
  return `${kind} ${parentId} ${id}`;
}

/** Metadata that the bulk writes lies over what is stored. */
function factsOf(
  { closedFolders }: ApiContext,
  stored: ReadonlyMap<string, JsonObject>,
  operations: readonly BulkOperation[],
): PluginFacts {
  const metadata = new Map(stored);
  for (const { kind, key, method, body } of operations) {
    if (kind.name !== 'plugin_metadata') continue;
    if (method === 'delete') metadata.delete(key.id);
    else if (method === 'put' && isJsonObject(body)) metadata.set(key.id, body);
  }
  return { closedFolders, metadataOf: (plugin) => metadata.get(plugin) };
}
