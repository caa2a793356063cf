import { hash } from 'node:crypto';

/** 132 bits: every resource has one for each of its labels, and a search goes over them. */
const DIGEST_CHARACTERS = 22;

/** The list of all of a kind. */
export const WHOLE_KIND = '';

/** The list of what one resource owns. Facets are digests, so that a label of any length fits into an index. */
export function ownerFacet(kind: string, id: string): string {
  return digest(['owner', kind, id]);
}

/** The list of what has one label with one value. */
export function labelFacet(name: string, value: string): string {
  return digest(['label', name, value]);
}

function digest(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, DIGEST_CHARACTERS);
}
