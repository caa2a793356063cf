import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { PluginFacts } from '../../plugin-kit/index.ts';
import { formatIssues, type ResourceKind } from '../../schema/index.ts';
import {
  type ResourceKey,
  type ResourceVersion,
  SharedConflict,
  type StoredResource,
  type StoreTransaction,
  UniqueConflict,
} from '../../store/index.ts';
import { type CurrentState, type EndedCredential, planRestore, type RestoreOptions } from '../history/index.ts';
import type { ApiContext } from './api-context.ts';
import { nameOfKey } from './describe-change.ts';
import { examineDocument } from './examine-document.ts';
import { warningsForUpstreams } from './missing-upstreams.ts';
import { parentKeyOf } from './resource-path.ts';
import { describeConflict } from './unique-conflicts.ts';
import { warningsForReferences } from './warnings-for-references.ts';

/** Something that a revert did not bring back, and why. */
export interface LeftOut {
  readonly resource: string;
  readonly reason: EndedCredential['reason'] | 'secret' | 'parent' | 'invalid' | 'duplicate' | 'mismatch' | 'in_use';
  /** JSON pointers of what is left out, or of the secrets that are gone; empty for the whole resource. */
  readonly pointers: readonly string[];
  readonly message: string;
}

/** What became of one resource. */
export interface RestoreResult {
  /** Undefined when nothing was written. */
  readonly stored: StoredResource | undefined;
  readonly warnings: readonly string[];
  /** Parts of a restored resource, or the resource itself. */
  readonly leftOut: readonly LeftOut[];
  /** The resource whose unique value, or share, stood in the way. */
  readonly holder?: ResourceKey;
}

/** Restores within one transaction. */
export interface Restore {
  readonly context: ApiContext;
  readonly transaction: StoreTransaction;
  /** What plugins may ask beside their configurations, as it is within the transaction. */
  readonly facts: PluginFacts;
  readonly kind: ResourceKind;
  readonly key: ResourceKey;
  /** A version that was a put. */
  readonly then: ResourceVersion;
  readonly options: Omit<RestoreOptions, 'schemas'>;
}

/** What is there now, with its secrets; undefined when there is nothing. */
export async function currentStateOf(transaction: StoreTransaction, key: ResourceKey): Promise<CurrentState | undefined> {
  const resource = await transaction.getResource(key);
  if (resource === undefined) return undefined;
  const version = await transaction.versionAt(key, resource.revision);
  return version === undefined ? undefined : { resource, version };
}

/**
 * Brings one resource back to a version, with the checks of any write. What stands against it is told in the result, and then nothing of
 * the resource was written.
 */
export async function restoreResource(restore: Restore): Promise<RestoreResult> {
  const { context, transaction, kind, key, then, options } = restore;
  const now = await currentStateOf(transaction, key);
  const plan = planRestore(kind, then, now, { ...options, schemas: context.plugins });
  switch (plan.kind) {
    case 'same':
      return { stored: undefined, warnings: [], leftOut: describeEnded(key, plan.ended) };
    case 'ended':
      return { stored: undefined, warnings: [], leftOut: describeEnded(key, plan.ended) };
    case 'secrets':
      return refused(key, 'secret', 'secrets of this version are gone: supply them in "secrets" of the body', plan.pointers);
    case 'put':
      return write(restore, plan.document, describeEnded(key, plan.ended));
  }
}

async function write(restore: Restore, document: JsonObject, ended: readonly LeftOut[]): Promise<RestoreResult> {
  const { context, transaction, kind, key } = restore;
  const examination = examine(restore, document);
  if (!examination.ok) return refused(key, 'invalid', examination.message);
  const parent = parentKeyOf(kind, key);
  if (parent !== undefined && (await transaction.getResource(parent, { secrets: 'omit' })) === undefined) {
    return refused(key, 'parent', `${nameOfKey(parent)} does not exist`);
  }
  const { secretPointers, unique, shared } = examination.examined;
  const checked = examination.examined.document;
  try {
    const owner = kind.owner(checked, key.parentId);
    const stored = await transaction.putResource({ key, document: checked, secretPointers, unique, shared, owner });
    const warnings = [
      ...examination.examined.warnings,
      ...(await warningsForReferences(transaction, kind, key, checked)),
      ...(await warningsForUpstreams(transaction, kind, key, checked, context.plugins)),
    ];
    return { stored, warnings, leftOut: ended };
  } catch (error) {
    if (!(error instanceof UniqueConflict || error instanceof SharedConflict)) throw error;
    const reason = error instanceof SharedConflict ? 'mismatch' : 'duplicate';
    return { ...refused(key, reason, describeConflict(error, context.plugins, shared)), holder: error.holder };
  }
}

function examine({ context, facts, kind, key }: Restore, document: JsonObject) {
  try {
    const examination = examineDocument(kind, document, key.id, { ...context, facts });
    return examination.ok ? examination : { ok: false as const, message: formatIssues(examination.issues) };
  } catch (error) {
    if (error instanceof PortcullisError && error.reason === 'admin_invalid') return { ok: false as const, message: error.publicMessage };
    throw error;
  }
}

const END_TEXTS = {
  deleted: 'the credential was deleted since',
  disabled: 'the credential was disabled since',
  replaced: 'the credential was replaced since',
} as const;

function describeEnded(key: ResourceKey, ended: readonly EndedCredential[]): readonly LeftOut[] {
  return ended.map(({ reason, pointer }) => ({ resource: nameOfKey(key), reason, pointers: [pointer], message: END_TEXTS[reason] }));
}

function refused(key: ResourceKey, reason: LeftOut['reason'], message: string, pointers: readonly string[] = []): RestoreResult {
  return { stored: undefined, warnings: [], leftOut: [{ resource: nameOfKey(key), reason, pointers, message }] };
}

/** As answers show it. */
export function presentLeftOut({ resource, reason, pointers, message }: LeftOut): JsonObject {
  return { resource, reason, pointers, message };
}
