import { type DescribedApi, describeRoutes, joinDescribed } from '../openapi/index.ts';
import { inviteRoutes } from './invite-routes.ts';
import type { PeopleContext } from './people-context.ts';
import { policyRoutes } from './policy-routes.ts';
import { ROLE_DESCRIPTION } from './role-description.ts';
import { roleRoutes } from './role-routes.ts';
import { SESSION_DESCRIPTION } from './session-description.ts';
import { sessionRoutes } from './session-routes.ts';
import { TOKEN_DESCRIPTION } from './token-description.ts';
import { tokenRoutes } from './token-routes.ts';
import { userAccessRoutes } from './user-access-routes.ts';
import { USER_DESCRIPTION } from './user-description.ts';
import { userRoutes } from './user-routes.ts';

export { requireGrantable } from './grants.ts';
export { INVITE_KIND } from './invite-routes.ts';
export { openPeople, type People } from './people.ts';
export { callerOf } from './people-context.ts';

/** Signing in, users, invites, tokens, roles, permission policies. */
export function describedPeople(context: PeopleContext): DescribedApi {
  return joinDescribed([
    describeRoutes(sessionRoutes(context), SESSION_DESCRIPTION),
    describeRoutes(tokenRoutes(context), TOKEN_DESCRIPTION),
    describeRoutes([...userRoutes(context), ...userAccessRoutes(context), ...inviteRoutes(context)], USER_DESCRIPTION),
    describeRoutes([...roleRoutes(context), ...policyRoutes(context)], ROLE_DESCRIPTION),
  ]);
}
