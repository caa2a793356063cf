import type { ByteWriter } from '../../lib/byte-writer.ts';

const LENGTH_TO_SECOND = 20;
const ZERO = 0x30;
const LETTER_Z = 0x5a;

let second = Number.NaN;
let text: Buffer = Buffer.alloc(0);

/** Appends a moment as `2026-11-24T03:15:22.123Z`; the part down to the second is made once a second. `nowMs` counts since 1970. */
export function appendTimestamp(writer: ByteWriter, nowMs: number): void {
  const whole = Math.floor(nowMs);
  const thisSecond = Math.floor(whole / 1000);
  if (thisSecond !== second) {
    second = thisSecond;
    text = Buffer.from(new Date(thisSecond * 1000).toISOString().slice(0, LENGTH_TO_SECOND), 'latin1');
  }
  writer.appendAll(text);
  const milliseconds = whole - thisSecond * 1000;
  writer.appendByte(ZERO + Math.floor(milliseconds / 100));
  writer.appendByte(ZERO + (Math.floor(milliseconds / 10) % 10));
  writer.appendByte(ZERO + (milliseconds % 10));
  writer.appendByte(LETTER_Z);
}
