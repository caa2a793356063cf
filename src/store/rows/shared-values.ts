import type { SharedValue, UniqueValue } from '../store.ts';

/** Begins the space of a shared value's row; the space of no unique value begins so. */
const PREFIX = 'shared ';
const ROW_BYTES = 8;

/** Where rows of other values of the same shared name lie, beside those of one. */
export interface OtherShares {
  readonly space: string;
  /** Digests below this one belong to other values, */
  readonly below: Buffer;
  /** and digests above this one. */
  readonly above: Buffer;
}

/**
 * Shared values lie among the unique ones: the name belongs to the space, and the digest is the value with the row of its holder behind it. So
 * whether anybody has another value is asked of two ranges of the index, at one cost whatever the number of holders.
 */
export function rowOfShared(shared: SharedValue, row: number): UniqueValue {
  const holder = Buffer.alloc(ROW_BYTES);
  holder.writeBigInt64BE(BigInt(row));
  return { space: spaceOf(shared), digest: Buffer.concat([shared.value, holder]) };
}

export function otherShares(shared: SharedValue): OtherShares {
  return { space: spaceOf(shared), below: shared.value, above: Buffer.concat([shared.value, Buffer.alloc(ROW_BYTES + 1, 0xff)]) };
}

/** Whether a row of `unique_values` is one of a shared value. */
export function isSharedSpace(space: string): boolean {
  return space.startsWith(PREFIX);
}

function spaceOf({ space, name }: SharedValue): string {
  return `${PREFIX}${space} ${name.toString('hex')}`;
}
