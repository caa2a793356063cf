/**
 * Names that mean something to JavaScript objects themselves. No id, label or plugin may be called so, which keeps users'
 * text from ever reaching a prototype.
 */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export function isReservedName(name: string): boolean {
  return RESERVED_NAMES.has(name);
}

/** The same rule as a JSON Schema pattern. */
export const NOT_RESERVED_PATTERN = '^(?!(?:__proto__|constructor|prototype)$)';
