import type { User } from '../../store/index.ts';
import { type Access, compileAccess } from './access.ts';
import { type AccessReader, accessRevision, documentsOfPolicies, documentsOfRoles } from './roles-and-policies.ts';

/** More different sets of roles than this are forgotten again; each is made anew in well under a millisecond. */
const MAX_KEPT = 1_000;

/**
 * What users may do, compiled once for each set of roles and boundary, and anew after any role or policy has changed, whichever process
 * changed it. An answer is never older than the moment it was asked for.
 */
export class AccessCache {
  readonly #store: AccessReader;
  #revision = '';
  #compiled = new Map<string, Access>();

  constructor(store: AccessReader) {
    this.#store = store;
  }

  async accessOf(user: Pick<User, 'roles' | 'boundary'>): Promise<Access> {
    const revision = await accessRevision(this.#store);
    if (revision !== this.#revision) {
      this.#revision = revision;
      this.#compiled = new Map();
    }
    const key = JSON.stringify([user.roles, user.boundary]);
    // A change that comes while this reads must not be kept under the new revision.
    const compiled = this.#compiled;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const access = await readAccess(this.#store, user);
    if (compiled.size >= MAX_KEPT) compiled.clear();
    if ((await accessRevision(this.#store)) === revision) compiled.set(key, access);
    return access;
  }
}

/** Reads and compiles what a user may do, from a store or within a transaction. */
export async function readAccess(store: AccessReader, user: Pick<User, 'roles' | 'boundary'>): Promise<Access> {
  const policies = await documentsOfRoles(store, user.roles);
  return compileAccess(policies, user.boundary.length === 0 ? undefined : await documentsOfPolicies(store, user.boundary));
}
