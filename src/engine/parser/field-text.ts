import { FIELD_VALUE_BYTES, LOWER_CASE } from './character-classes.ts';

/** Whether a byte string can be the value of a field: HTAB, printable ASCII and 0x80-0xFF (RFC 9110 §5.5). */
export function isFieldValue(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (FIELD_VALUE_BYTES[text.charCodeAt(index)] !== 1) return false;
  return true;
}

/** Whether `bytes[start, end)` is `lowerCaseText`, letters compared without case. */
export function equalsText(bytes: Uint8Array, start: number, end: number, lowerCaseText: string): boolean {
  if (end - start !== lowerCaseText.length) return false;
  for (let index = 0; index < lowerCaseText.length; index++) {
    if (LOWER_CASE[bytes[start + index] ?? 0] !== lowerCaseText.charCodeAt(index)) return false;
  }
  return true;
}
