import { ownGroupOf } from '../auth/index.ts';
import type { ApiRequest } from './api-route.ts';

/** The id of the gateway group that a request is about, as far as query and admin key tell; undefined where neither does. */
export function groupIdOf({ query, caller }: Pick<ApiRequest, 'query' | 'caller'>): string | undefined {
  return query.get('gateway_group_id') || ownGroupOf(caller);
}
