import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { HeadParser } from '../parser/head-parser.ts';
import { FIELD } from '../parser/known-fields.ts';

/** 1 for each kind of field that one direction never sends on as it came. */
export type FieldKinds = Uint8Array;

/** Fields between neighbours (RFC 9110 §7.6.1) and those of framing, which the engine writes itself. */
export const HOP_BY_HOP: readonly number[] = [
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyConnection,
  FIELD.te,
  FIELD.transferEncoding,
  FIELD.contentLength,
  FIELD.upgrade,
];

export function fieldKinds(kinds: readonly number[]): FieldKinds {
  const table = new Uint8Array(16);
  for (const kind of kinds) table[kind] = 1;
  return table;
}

/**
 * Appends the head's field lines from `first` on as they came but for those that are cut or of a left-out kind; neighbours go as one
 * range. What stands before them from `start` on goes along.
 */
export function appendFields(writer: ByteWriter, head: HeadParser, leftOut: FieldKinds, start: number, first: number): void {
  const { fields, bytes } = head;
  const { cuts, kinds, offsets, count, end } = fields;
  let rangeStart = start;
  for (let index = first; index < count; index++) {
    if (cuts[index] === 0 && leftOut[kinds[index] ?? 0] === 0) continue;
    const lineStart = offsets[index * 4] ?? 0;
    if (rangeStart < lineStart) writer.append(bytes, rangeStart, lineStart);
    rangeStart = index + 1 < count ? (offsets[index * 4 + 4] ?? 0) : end;
  }
  if (rangeStart < end) writer.append(bytes, rangeStart, end);
}
