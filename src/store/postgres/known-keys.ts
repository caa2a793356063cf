import type { Keyring } from '../keyring.ts';
import { fingerprintOf } from '../keyring-file.ts';
import { LEASE_PLACE } from './control-plane-leases.ts';

/** Holds for the rows of control planes that live. */
export const LIVING_PLANE = `expires_at > clock_timestamp() AND place = ${LEASE_PLACE}`;

/** What a control plane tells the others of its keyring, newly read where it has changed. */
export function tellKnownKeys(keyring: Keyring): string {
  keyring.refresh();
  return JSON.stringify(keyring.keys.map((key) => [key.id, fingerprintOf(key)]));
}

/** Reads it. */
export function readKnownKeys(text: string): ReadonlyMap<string, string> {
  // Written by `tellKnownKeys`, here or in another control plane of this database.
  const pairs: [string, string][] = JSON.parse(text);
  return new Map(pairs);
}
