import type { JsonValue } from '../../lib/json.ts';
import { coreSchemas } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';

/** The level of API7's Admin API that is spoken here. Clients choose their behaviour by it; our own version is in a header. */
export const API_LEVEL = '3.10.5';

const NO_LICENSE = 'no license is needed; what was sent was not stored';

/** What the product tells of itself. */
export function productRoutes(): readonly ApiRoute[] {
  // Through JSON once: a schema is data, and clients get exactly this.
  const schemas = JSON.parse(JSON.stringify(coreSchemas()));
  return [
    { method: 'GET', path: '/healthz', permission: 'public', handle: async () => ({ body: { status: 'ok' } }) },
    { method: 'GET', path: '/api/status', permission: 'public', handle: async () => ({ body: { status: 'ok' } }) },
    about('/api/version', API_LEVEL),
    // There is nothing to license: the set-ups of API7's own clients ask for it all the same.
    { method: 'GET', path: '/api/license', permission: 'signed-in', handle: async () => ({ body: { value: {} } }) },
    {
      method: 'PUT',
      path: '/api/license',
      permission: 'iam:UpdateLicense',
      // Nothing is ever stored.
      canBeTried: true,
      handle: async () => ({ body: { value: {}, warning_msg: NO_LICENSE } }),
    },
    about('/api/schema/core', schemas),
  ];
}

/** What clients choose their behaviour by; the same for everybody. */
function about(path: string, value: JsonValue): ApiRoute {
  return { method: 'GET', path, permission: 'signed-in', groupScoped: true, handle: async () => ({ body: { value } }) };
}
