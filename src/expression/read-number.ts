/** Decimal or hexadecimal, blanks around it allowed. Each part begins with what the one before cannot hold: linear on any text. */
const NUMBER = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ \t\n\v\f\r]*$/;

/**
 * The number that a value stands for, or undefined: numbers themselves, and texts that Lua's `tonumber` reads as one (`18`, ` 1.5e3`,
 * `.5`, `0x1F`). The words `inf` and `nan`, which LuaJIT takes too, are no numbers here, so that nobody passes `> 18` by a word.
 */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const [, sign, digits] = NUMBER.exec(value) ?? [];
  if (digits === undefined) return undefined;
  return sign === '-' ? -Number(digits) : Number(digits);
}
