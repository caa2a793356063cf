import type { JsonValue } from '../lib/json.ts';
import { networkList } from '../lib/network-list.ts';
import { checkPathPattern } from '../lib/path-pattern.ts';
import { describingFields, idField, nameField, pluginsField, statusField, timeoutField } from './fields.ts';
import { appendPointer, type Issue } from './issue.ts';
import { isReservedName } from './reserved-names.ts';
import { type Static, Type } from './schema-builder.ts';
import { isUnreachablePath } from './unreachable-path.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'] as const;

const networkField = Type.String({ minLength: 1, maxLength: 128 });

/**
 * A route of a service: API7's OpenAPI document, route body, the method PURGE that its clients know, and APISIX's conditions on the
 * client's address.
 */
export const routeSchema = Type.Object({
  name: nameField,
  ...describingFields,
  service_id: idField,
  paths: Type.Array(Type.String({ minLength: 1, maxLength: 4096, pattern: '^/' }), { minItems: 1, maxItems: 64 }),
  methods: Type.Optional(
    Type.Array(Type.Unsafe<(typeof METHODS)[number]>({ type: 'string', enum: METHODS }), {
      minItems: 1,
      maxItems: METHODS.length,
      uniqueItems: true,
    }),
  ),
  vars: Type.Optional(Type.Unsafe<readonly JsonValue[]>({ type: 'array' })),
  remote_addr: Type.Optional(networkField),
  remote_addrs: Type.Optional(Type.Array(networkField, { minItems: 1, maxItems: 4096, uniqueItems: true })),
  priority: Type.Optional(Type.Integer({ default: 0 })),
  enable_websocket: Type.Optional(Type.Unsafe<boolean | null>({ type: 'boolean', nullable: true })),
  timeout: Type.Optional(timeoutField),
  plugins: Type.Optional(pluginsField),
  status: Type.Optional(statusField),
});

export type RouteDocument = Static<typeof routeSchema>;

/**
 * What the schema cannot say, and what would change who gets in if it were accepted and then not enforced. Of `vars` only the expression
 * compiler knows whether they can be served (`checkVars`).
 */
export function checkRoute(route: RouteDocument): readonly Issue[] {
  const issues: Issue[] = [];
  if (isReservedName(route.service_id)) issues.push({ pointer: '/service_id', message: 'this name is not allowed' });
  route.paths.forEach((path, index) => {
    const message = checkPathPattern(path);
    if (message !== undefined) issues.push({ pointer: appendPointer('/paths', index), message });
  });
  if (route.remote_addr !== undefined && route.remote_addrs !== undefined)
    issues.push({ pointer: '/remote_addrs', message: 'only one of remote_addr or remote_addrs is allowed' });
  if (!isNetwork(route.remote_addr)) issues.push({ pointer: '/remote_addr', message: NO_NETWORK });
  route.remote_addrs?.forEach((text, index) => {
    if (!isNetwork(text)) issues.push({ pointer: appendPointer('/remote_addrs', index), message: NO_NETWORK });
  });
  return issues;
}

const NO_NETWORK = 'value must be an IP address or a network';

function isNetwork(text: string | undefined): boolean {
  try {
    return text === undefined || networkList([text]) !== undefined;
  } catch {
    return false;
  }
}

/** What APISIX knows on a route and API7 does not, with what a writer must be told: each would narrow who is served. */
const FIELDS_OF_OTHERS: readonly (readonly [name: string, instead: string])[] = [
  ['uri', 'paths is what counts'],
  ['uris', 'paths is what counts'],
  ['host', 'hosts belong to the service'],
  ['hosts', 'hosts belong to the service'],
  ['filter_func', 'it cannot run here'],
  ['script', 'it cannot run here'],
  ['upstream', 'the upstream belongs to the service'],
  ['upstream_id', 'the upstream belongs to the service'],
  ['plugin_config_id', 'plugins stand on the route or its service'],
];

/** What is stored but served in a simpler way than it asks for, or never served. */
export function warningsForRoute(route: RouteDocument): readonly string[] {
  const warnings: string[] = [];
  route.paths.forEach((path, index) => {
    if (isUnreachablePath(path)) warnings.push(`/paths/${index} never matches: requests are matched by their normalised, decoded path`);
  });
  for (const [name, instead] of FIELDS_OF_OTHERS)
    if (Object.hasOwn(route, name)) warnings.push(`/${name} has no effect on a route: ${instead}`);
  return warnings;
}
