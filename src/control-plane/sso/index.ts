import type { DialPolicy } from '../../lib/dial-policy.ts';
import { type DescribedApi, describeRoutes } from '../openapi/index.ts';
import type { PeopleContext } from '../people/people-context.ts';
import type { IdentityProviders } from './identity-provider.ts';
import { LOGIN_OPTION_DESCRIPTION } from './login-option-description.ts';
import { loginOptionRoutes } from './login-option-routes.ts';
import { signInRoutes } from './sign-in-routes.ts';

export { LOGIN_OPTION_KIND } from './login-option.ts';

/** Single sign-on by OpenID Connect. Providers are only asked at addresses that the policy allows. */
export function describedSso(context: PeopleContext & { readonly mayDial: DialPolicy }): DescribedApi {
  let opened: Promise<IdentityProviders> | undefined;
  // The protocol's library is loaded with the first sign-in: most control planes never need it.
  const providers = (): Promise<IdentityProviders> => {
    opened ??= openProviders(context);
    return opened;
  };
  return describeRoutes([...loginOptionRoutes(context), ...signInRoutes(context, providers)], LOGIN_OPTION_DESCRIPTION);
}

async function openProviders({ mayDial, clock }: Parameters<typeof describedSso>[0]): Promise<IdentityProviders> {
  const [{ IdentityProviders: Providers }, { providerFetch }] = await Promise.all([
    import('./identity-provider.ts'),
    import('./provider-fetch.ts'),
  ]);
  return new Providers(providerFetch(mayDial), clock);
}
