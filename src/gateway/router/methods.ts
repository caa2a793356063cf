/** The methods that routes can name (API7 3.9; PURGE as ADC has it). */
const NAMED_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'];

const BITS: ReadonlyMap<string, number> = new Map(NAMED_METHODS.map((method, index) => [method, 1 << index]));

/** The bit of a method that routes can name, 0 for any other. Methods are case-sensitive (RFC 9110 §9.1). */
export function methodBit(method: string): number {
  return BITS.get(method) ?? 0;
}

const NAMED_BYTES = NAMED_METHODS.map((method) => Buffer.from(method, 'latin1'));

/** As `methodBit`, for the method `bytes[start, end)`; makes no string. */
export function methodBitOfBytes(bytes: Uint8Array, start: number, end: number): number {
  for (let index = 0; index < NAMED_BYTES.length; index++) {
    const name = NAMED_BYTES[index];
    if (name === undefined || name.length !== end - start) continue;
    let same = 0;
    while (same < name.length && bytes[start + same] === name[same]) same++;
    if (same === name.length) return 1 << index;
  }
  return 0;
}

/**
 * The methods' bits together; 0, which stands for every method, for an empty or absent list. A list that names only unknown
 * methods fits no request.
 */
export function methodMask(methods: readonly string[] | undefined): number {
  if (methods === undefined || methods.length === 0) return 0;
  const mask = methods.reduce((bits, method) => bits | methodBit(method), 0);
  return mask === 0 ? NO_METHOD : mask;
}

/** A bit that no request carries. */
const NO_METHOD = 1 << NAMED_METHODS.length;
