import type { ApiRoute } from '../http/index.ts';
import { inviteRoutes } from './invite-routes.ts';
import type { PeopleContext } from './people-context.ts';
import { policyRoutes } from './policy-routes.ts';
import { roleRoutes } from './role-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { userRoutes } from './user-routes.ts';

export { requireGrantable } from './grants.ts';
export { openPeople, type People } from './people.ts';
export { callerOf } from './people-context.ts';

/** Signing in, users, invites, tokens, roles, permission policies. */
export function peopleRoutes(context: PeopleContext): readonly ApiRoute[] {
  return [
    ...sessionRoutes(context),
    ...tokenRoutes(context),
    ...userRoutes(context),
    ...inviteRoutes(context),
    ...roleRoutes(context),
    ...policyRoutes(context),
  ];
}
