import { checkPathPattern } from '../lib/path-pattern.ts';
import { describingFields, hostPatternField, nameField, pluginsField, statusField } from './fields.ts';
import { type Issue, issuesBelow } from './issue.ts';
import { type Static, Type } from './schema-builder.ts';
import { isUnreachablePath } from './unreachable-path.ts';
import { checkUpstream, upstreamSchema, warningsForUpstream } from './upstream.ts';

/** A published service with its inline upstream: API7's OpenAPI document, service body. */
export const serviceSchema = Type.Object({
  name: nameField,
  ...describingFields,
  type: Type.Optional(Type.Unsafe<'http' | 'stream'>({ type: 'string', enum: ['http', 'stream'] })),
  hosts: Type.Optional(Type.Array(hostPatternField, { minItems: 1, maxItems: 32, uniqueItems: true })),
  path_prefix: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, pattern: '^/' })),
  strip_path_prefix: Type.Optional(Type.Boolean({ default: true })),
  enable_websocket: Type.Optional(Type.Unsafe<boolean | null>({ type: 'boolean', nullable: true })),
  plugins: Type.Optional(pluginsField),
  upstream: Type.Optional(upstreamSchema),
  status: Type.Optional(statusField),
});

export type ServiceDocument = Static<typeof serviceSchema>;

/** What the schema cannot say, and what would change who gets in if it were accepted and then not enforced. */
export function checkService(service: ServiceDocument): readonly Issue[] {
  const issues: Issue[] = [];
  if (service.type === 'stream') issues.push({ pointer: '/type', message: 'service type stream is not supported by this version' });
  const prefixIssue = service.path_prefix === undefined ? undefined : checkPathPrefix(service.path_prefix);
  if (prefixIssue !== undefined) issues.push({ pointer: '/path_prefix', message: prefixIssue });
  if (service.upstream !== undefined) issues.push(...issuesBelow('/upstream', checkUpstream(service.upstream)));
  return issues;
}

/** It may hold parameters: `/:tenant/v1`. */
function checkPathPrefix(prefix: string): string | undefined {
  return prefix.includes('*') ? 'a path prefix has no wildcard' : checkPathPattern(prefix);
}

/** What is stored but served in a simpler way than it asks for, or never served. */
export function warningsForService(service: ServiceDocument): readonly string[] {
  const warnings = service.upstream === undefined ? [] : [...warningsForUpstream(service.upstream)];
  // Slashes at the end do not count when the prefix is joined with a route's path.
  if (service.path_prefix !== undefined && isUnreachablePath(service.path_prefix.replace(/\/+$/, ''))) {
    warnings.push('/path_prefix never matches: requests are matched by their normalised, decoded path');
  }
  return warnings;
}
