import { hash } from 'node:crypto';

/** 128 bits of a text's SHA-256, as four signed 32-bit numbers: texts that differ have different marks, as far as chance is concerned. */
export type Mark = readonly [number, number, number, number];

export function markOf(text: string): Mark {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readInt32BE(0), digest.readInt32BE(4), digest.readInt32BE(8), digest.readInt32BE(12)];
}
