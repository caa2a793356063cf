import { HpackDecoder } from '../http2/hpack/hpack-decoder.ts';
import type { HpackEncoder } from '../http2/hpack/hpack-encoder.ts';
import { HPACK, type HpackOutcome } from '../http2/hpack/hpack-outcome.ts';

/** A field, name and value. */
export type Field = readonly [name: string, value: string];

/** Limits that no ordinary list reaches. */
export const WIDE_LIMITS = { tableBytes: 4096, listBytes: 65_536, pairs: 500 };

/** What a decoder makes of a block. */
export interface ReadBlock {
  readonly outcome: HpackOutcome;
  readonly fields: readonly Field[];
}

/** Reads a block, which lies in the middle of other bytes. */
export function readBlock(decoder: HpackDecoder, block: Uint8Array): ReadBlock {
  const flat: string[] = [];
  const surrounded = Buffer.concat([Buffer.of(0x82), block, Buffer.of(0x82)]);
  const outcome = decoder.decode(surrounded, 1, 1 + block.length, flat);
  return { outcome, fields: pairsOf(flat) };
}

/** Stands for an entry that is larger than the decoder's limit for a list. */
export const LARGE_ENTRY: Field = ['larger than a list may be', ''];

/** The dynamic table of a decoder, newest entry first: what each index stands for. */
export function tableOf(decoder: HpackDecoder): readonly Field[] {
  const entries: Field[] = [];
  for (;;) {
    const index = 62 + entries.length;
    const block = index < 127 ? Buffer.of(0x80 | index) : Buffer.of(0xff, ...continuation(index - 127));
    const { outcome, fields } = readBlock(decoder, block);
    if (outcome === HPACK.failed) return entries;
    entries.push(...(outcome === HPACK.tooLarge ? [LARGE_ENTRY] : fields));
  }
}

/** Writes a block; the bytes are the caller's own. */
export function writeBlock(encoder: HpackEncoder, fields: readonly Field[]): Buffer {
  encoder.begin();
  for (const [name, value] of fields) encoder.write(name, value);
  return Buffer.from(encoder.end());
}

/** A decoder with limits that no ordinary list reaches. */
export function newDecoder(limits: Partial<typeof WIDE_LIMITS> = {}): HpackDecoder {
  return new HpackDecoder({ ...WIDE_LIMITS, ...limits });
}

/** Bytes of hexadecimal digits, in which spaces are for the reader. */
export function bytesOf(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}

function pairsOf(flat: readonly string[]): Field[] {
  return Array.from({ length: flat.length / 2 }, (_, index): Field => [flat[index * 2] ?? '', flat[index * 2 + 1] ?? '']);
}

function continuation(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...continuation(value >> 7)];
}
