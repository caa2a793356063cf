/** The host that routes are matched by: the bytes of a valid Host value without port, brackets and one trailing dot, in lower case. */
export function hostOfHeader(_bytes: Buffer, _start: number, _end: number): string {
  return '';
}
