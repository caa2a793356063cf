import { hash } from 'node:crypto';
import { equalInConstantTime } from '../../lib/equal-in-constant-time.ts';
import type { RequestView } from '../../plugin-kit/index.ts';

/** Whether a body is the one that its header `Digest` speaks of. `size`: that which was counted when counting stopped. */
export type BodyComparison =
  | { readonly kind: 'equal' }
  | { readonly kind: 'different' }
  | { readonly kind: 'too-large'; readonly size: number };

const NO_BODY = new Uint8Array(0);

/** Reads the body and compares it with `Digest: SHA-256=<base64>` (RFC 3230, as in APISIX); a request without that header is different. */
export async function compareBody(request: RequestView, maxBytes: number): Promise<BodyComparison> {
  const { bodyLength } = request;
  if (typeof bodyLength === 'number' && bodyLength > maxBytes) return { kind: 'too-large', size: bodyLength };
  const body = bodyLength === undefined ? NO_BODY : await request.readBody(maxBytes);
  if (body === 'too-large') return { kind: 'too-large', size: maxBytes + 1 };
  const digest = request.header('digest');
  const expected = `SHA-256=${hash('sha256', body, 'base64')}`;
  return { kind: digest !== undefined && equalInConstantTime(digest, expected) ? 'equal' : 'different' };
}
