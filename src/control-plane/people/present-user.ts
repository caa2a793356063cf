import type { JsonObject } from '../../lib/json.ts';
import type { User } from '../../store/index.ts';
import { type AccessReader, findPolicy, findRole } from '../access/index.ts';

/** A user as answers show one: never with anything of the password. */
export async function presentUser(store: AccessReader, user: User): Promise<JsonObject> {
  const { name, email, desc, labels } = user.profile;
  const roles = await Promise.all(user.roles.map(async (id) => ({ id, name: (await findRole(store, id))?.name ?? id })));
  const boundary = await Promise.all(user.boundary.map(async (id) => ({ id, name: (await findPolicy(store, id))?.name ?? id })));
  return {
    id: user.id,
    username: user.username,
    name: name ?? user.username,
    ...(email === undefined ? {} : { email }),
    ...(desc === undefined ? {} : { desc }),
    ...(labels === undefined ? {} : { labels }),
    roles,
    permission_boundary: boundary,
    source: user.externalId === undefined ? 'built_in' : 'oidc',
    must_change_password: user.externalId === undefined && user.mustChangePassword,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
  };
}
