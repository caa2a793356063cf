import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { formatIssues, type Issue, issuesBelow } from '../../schema/index.ts';
import type { ApiAnswer } from '../http/index.ts';
import { BULK_LIMITS } from './bulk-limits.ts';
import type { BulkOperation } from './bulk-operation.ts';
import { InvalidDocument } from './examine-document.ts';
import { resourceName } from './resource-path.ts';

/** Why one operation of a bulk is refused. */
interface BulkFault {
  readonly status: number;
  /** As `resourceName`; undefined where the operation does not even tell. */
  readonly resource: string | undefined;
  /** Pointers begin at the bulk. */
  readonly issues: readonly Issue[];
}

/** What is wrong with a bulk: at most one fault for each of its operations. */
export class BulkFaults {
  readonly #faults = new Map<number, BulkFault>();

  get count(): number {
    return this.#faults.size;
  }

  has(index: number): boolean {
    return this.#faults.has(index);
  }

  /** Notes what is wrong with an operation; pointers begin there. */
  add(index: number, resource: string | undefined, issues: readonly Issue[], status = 400): void {
    if (!this.#faults.has(index)) this.#faults.set(index, { status, resource, issues: issuesBelow(`/${index}`, issues) });
  }

  /**
   * Notes why an operation was refused, which may be told of it alone.
   *
   * @throws the error itself when it is no refusal but a failure of ours, of which no client is to be told that he made a mistake
   */
  addError({ index, method, kind, key }: BulkOperation, error: unknown): void {
    if (!(error instanceof PortcullisError) || error.code.source !== 'client') throw error;
    // What a patch makes of a resource stands nowhere in the bulk.
    const isPlaced = error instanceof InvalidDocument && method === 'put';
    const issues = isPlaced ? issuesBelow('/body', error.issues) : [{ pointer: '', message: error.publicMessage }];
    this.add(index, resourceName(kind, key), issues, error.code.status);
  }

  /** All of them: the status that all have in common, otherwise 400. */
  answer(): ApiAnswer {
    const faults = [...this.#faults].toSorted(([one], [other]) => one - other);
    const [first] = faults;
    const statuses = new Set(faults.map(([, { status }]) => status));
    const status = statuses.size === 1 ? (first?.[1].status ?? 400) : 400;
    const rest = faults.length > 1 ? ` (and ${faults.length - 1} more operations)` : '';
    const summary = first === undefined ? '' : `operation ${first[0]}: ${formatIssues(first[1].issues)}${rest}`;
    return { status, body: { error_msg: summary, error_count: faults.length, errors: listed(faults) } };
  }
}

function listed(faults: readonly (readonly [number, BulkFault])[]): readonly JsonObject[] {
  const errors: JsonObject[] = [];
  let characters = 0;
  for (const [index, { status, resource, issues }] of faults) {
    const message = formatIssues(issues);
    const pointers = issues.slice(0, 20).map(({ pointer }) => pointer);
    characters += 2 * message.length;
    if (characters > BULK_LIMITS.listedCharacters && errors.length > 0) break;
    errors.push({ index, ...(resource === undefined ? {} : { resource }), status, error_msg: message, pointers });
  }
  return errors;
}
