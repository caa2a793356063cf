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

/** Appends the head's field lines as they came but for those that are cut or of a left-out kind; neighbours go as one range. */
export function appendFields(writer: ByteWriter, head: HeadParser, leftOut: FieldKinds): void {
  const fields = head.fields;
  let rangeStart = fields.lineStart(0);
  for (let index = 0; index < fields.count; index++) {
    if (fields.cuts[index] === 0 && leftOut[fields.kind(index)] === 0) continue;
    const lineStart = fields.lineStart(index);
    if (rangeStart < lineStart) writer.append(head.bytes, rangeStart, lineStart);
    rangeStart = fields.lineStart(index + 1);
  }
  if (rangeStart < fields.end) writer.append(head.bytes, rangeStart, fields.end);
}
