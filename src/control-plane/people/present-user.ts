import type { JsonObject } from '../../lib/json.ts';
import type { User } from '../../store/index.ts';
import { type AccessReader, findPolicy, findRole, listPolicies, listRoles } from '../access/index.ts';

/** A user as answers show one: never with anything of the password. */
export async function presentUser(store: AccessReader, user: User): Promise<JsonObject> {
  const roles = await Promise.all(user.roles.map(async (id) => [id, (await findRole(store, id))?.name] as const));
  const policies = await Promise.all(user.boundary.map(async (id) => [id, (await findPolicy(store, id))?.name] as const));
  return present(user, new Map(roles), new Map(policies));
}

/** Shows many users, with one look at roles and policies for all of them. */
export async function userPresenter(store: AccessReader): Promise<(user: User) => JsonObject> {
  const roles = new Map((await listRoles(store)).map(({ id, name }) => [id, name]));
  const policies = new Map((await listPolicies(store)).map(({ id, name }) => [id, name]));
  return (user) => present(user, roles, policies);
}

type Names = ReadonlyMap<string, string | undefined>;

function present(user: User, roles: Names, policies: Names): JsonObject {
  const { name, email, desc, labels } = user.profile;
  const named = (ids: readonly string[], names: Names): JsonObject[] => ids.map((id) => ({ id, name: names.get(id) ?? id }));
  return {
    id: user.id,
    username: user.username,
    name: name ?? user.username,
    ...(email === undefined ? {} : { email }),
    ...(desc === undefined ? {} : { desc }),
    ...(labels === undefined ? {} : { labels }),
    roles: named(user.roles, roles),
    permission_boundary: named(user.boundary, policies),
    source: user.externalId === undefined ? 'built_in' : 'oidc',
    must_change_password: user.externalId === undefined && user.mustChangePassword,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
  };
}
