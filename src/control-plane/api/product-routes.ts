import { coreSchemas } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';

/** The level of API7's Admin API that is spoken here. Clients choose their behaviour by it; our own version is in a header. */
export const API_LEVEL = '3.10.5';

/** What the product tells of itself. */
export function productRoutes(): readonly ApiRoute[] {
  // Through JSON once: a schema is data, and clients get exactly this.
  const schemas = JSON.parse(JSON.stringify(coreSchemas()));
  return [
    { method: 'GET', path: '/healthz', permission: 'public', handle: async () => ({ body: { status: 'ok' } }) },
    { method: 'GET', path: '/api/status', permission: 'public', handle: async () => ({ body: { status: 'ok' } }) },
    {
      method: 'GET',
      path: '/api/version',
      permission: 'gateway:GetGatewayGroup',
      groupScoped: true,
      handle: async () => ({ body: { value: API_LEVEL } }),
    },
    {
      method: 'GET',
      path: '/api/schema/core',
      permission: 'gateway:GetGatewayGroup',
      groupScoped: true,
      handle: async () => ({ body: { value: schemas } }),
    },
  ];
}
