function isMethod(bytes: Buffer, start: number, end: number, method: Buffer): boolean {
  if (end - start !== method.length) return false;
  for (let index = 0; index < method.length; index++) if (bytes[start + index] !== method[index]) return false;
  return true;
}

const HEAD = Buffer.from('HEAD', 'latin1');
const SELDOM_WITH_BODY = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'].map((method) => Buffer.from(method, 'latin1'));
const IDEMPOTENT = [...SELDOM_WITH_BODY, Buffer.from('PUT', 'latin1')];

/** Whether `bytes[start, end)` is HEAD; methods are compared with case. */
export function isHeadMethod(bytes: Buffer, start: number, end: number): boolean {
  return isMethod(bytes, start, end, HEAD);
}

/** Whether doing the request twice is as good as once, by RFC 9110 §9.2.2. */
export function isIdempotent(bytes: Buffer, start: number, end: number): boolean {
  for (const method of IDEMPOTENT) if (isMethod(bytes, start, end, method)) return true;
  return false;
}

/** Whether a body has no meaning that is generally known (RFC 9110 §9.3), so that some servers do not read it as one. */
export function isSeldomWithBody(bytes: Buffer, start: number, end: number): boolean {
  for (const method of SELDOM_WITH_BODY) if (isMethod(bytes, start, end, method)) return true;
  return false;
}
