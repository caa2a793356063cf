import { PortcullisError } from '../../errors/index.ts';
import { formatIssues } from '../../schema/index.ts';
import type { MutableJson } from './mutable-json.ts';

/** Deeper documents are refused on writes in any case. */
const MAX_DEPTH = 100;
/** Values and characters that all operations of one patch may touch: some bodies' worth, so that copies of copies end soon. */
const MAX_WORK = 8_000_000;

const ELEMENTS_PER_VALUE = 32;

/** What is wrong with an operation, told by where it stands in the patch. */
export function refusePatch(pointer: string, message: string): PortcullisError {
  return new PortcullisError('admin_invalid', { publicMessage: formatIssues([{ pointer, message }]) });
}

/** Bounds what one patch may cost: `copy` would double the document with every operation otherwise. */
export class PatchBudget {
  #left = MAX_WORK;

  /** Takes the elements of an array that make room or close ranks off the budget: moving some dozens costs what one value does. */
  spendShift(elements: number, pointer: string): void {
    this.#left -= elements / ELEMENTS_PER_VALUE;
    if (this.#left < 0) throw refusePatch(pointer, 'the patch is too large');
  }

  /** Takes the size of a value that is to stand at a depth off the budget. @throws PortcullisError 400 when the patch costs too much */
  spend(value: MutableJson, depth: number, pointer: string): void {
    if (depth > MAX_DEPTH) throw refusePatch(pointer, `the document would be nested more than ${MAX_DEPTH} levels deep`);
    this.#left -= typeof value === 'string' ? value.length + 1 : 1;
    if (this.#left < 0) throw refusePatch(pointer, 'the patch is too large');
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const element of value) this.spend(element, depth + 1, pointer);
      return;
    }
    for (const [name, field] of Object.entries(value)) {
      this.#left -= name.length;
      this.spend(field, depth + 1, pointer);
    }
  }
}
