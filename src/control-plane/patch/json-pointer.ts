/** Names that no part of a path may be: they mean something to JavaScript objects themselves. */
const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** Documents are nested less deeply. */
const MOST_SEGMENTS = 128;
const MALFORMED_ESCAPE = /~(?![01])/;

/** The parts of a JSON pointer (RFC 6901, section 3), or what is wrong with it. */
export type PointerParse = { readonly ok: true; readonly segments: readonly string[] } | { readonly ok: false; readonly problem: string };

/** Reads a JSON pointer. */
export function parsePointer(text: string): PointerParse {
  if (text === '') return { ok: true, segments: [] };
  if (!text.startsWith('/')) return { ok: false, problem: 'a path is empty or begins with "/"' };
  if (MALFORMED_ESCAPE.test(text)) return { ok: false, problem: 'in a path "~" is written as "~0" and "/" inside a name as "~1"' };
  const parts = text.slice(1).split('/', MOST_SEGMENTS + 1);
  // Nothing lies so deep, and each part of a path costs something.
  if (parts.length > MOST_SEGMENTS) return { ok: false, problem: `a path has at most ${MOST_SEGMENTS} parts` };
  const segments = parts.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (segments.some(isReservedSegment)) return { ok: false, problem: 'this name is not allowed in a path' };
  return { ok: true, segments };
}

/** Whether a name may not be part of a path. */
export function isReservedSegment(segment: string): boolean {
  return RESERVED.has(segment);
}
