import { hash } from 'node:crypto';
import type { Random } from '../../lib/random.ts';

/** Bytes that look random and are the same in every run with the same seed. */
export function seededRandom(seed = 'seed'): Random {
  let block = 0;
  const nextBlock = (): Buffer => hash('sha256', `${seed} ${block++}`, 'buffer');
  return {
    bytes: (length) => {
      const blocks: Buffer[] = [];
      for (let filled = 0; filled < length; filled += 32) blocks.push(nextBlock());
      return Buffer.concat(blocks).subarray(0, length);
    },
  };
}
