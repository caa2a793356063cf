import { isIP } from 'node:net';
import { networkList } from '../lib/network-list.ts';
import { describingFields, hostPatternField, idField, nameField, pluginsField, statusField } from './fields.ts';
import type { Issue } from './issue.ts';
import { isReservedName } from './reserved-names.ts';
import { type Static, Type } from './schema-builder.ts';

/** Which connections a service of type `stream` gets: API7's stream route body. */
export const streamRouteSchema = Type.Object({
  name: nameField,
  ...describingFields,
  service_id: idField,
  server_addr: Type.Optional(Type.String({ minLength: 1 })),
  server_port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  remote_addr: Type.Optional(Type.String({ minLength: 1 })),
  sni: Type.Optional(hostPatternField),
  plugins: Type.Optional(pluginsField),
  status: Type.Optional(statusField),
});

/** What the schema cannot say: addresses are addresses, that of the client may be a network. */
export function checkStreamRoute(route: Static<typeof streamRouteSchema>): readonly Issue[] {
  const issues: Issue[] = [];
  if (isReservedName(route.service_id)) issues.push({ pointer: '/service_id', message: 'this name is not allowed' });
  if (route.server_addr !== undefined && isIP(route.server_addr) === 0)
    issues.push({ pointer: '/server_addr', message: 'value must be an IP address' });
  if (route.remote_addr !== undefined && !isNetwork(route.remote_addr))
    issues.push({ pointer: '/remote_addr', message: 'value must be an IP address or a network' });
  return issues;
}

function isNetwork(text: string): boolean {
  try {
    return networkList([text]) !== undefined;
  } catch {
    return false;
  }
}
