/** The bit of a method that routes can name, 0 for any other. Methods are case-sensitive (RFC 9110 §9.1). */
export function methodBit(_method: string): number {
  return 0;
}
/** The union of the methods' bits; 0 (every method) for an empty or absent list. */
export function methodMask(_methods: readonly string[] | undefined): number {
  return 0;
}
