import { PortcullisError } from '../../errors/index.ts';
import type { ApiRequest } from '../http/index.ts';

interface Versioned {
  readonly version: number;
}

/** The entity tag of a role, policy or login option: its version. */
export function versionHeaders({ version }: Versioned): Readonly<Record<string, string>> {
  return { etag: tagOf(version) };
}

/** Checks `If-Match` (RFC 9110, section 13.1.1) of a write against what it would replace. @throws PortcullisError 412 */
export function checkVersion(request: ApiRequest, { version }: Versioned): void {
  const tags = request
    .header('if-match')
    ?.split(',')
    .map((tag) => tag.trim());
  if (tags !== undefined && !tags.includes('*') && !tags.includes(tagOf(version))) throw new PortcullisError('admin_precondition_failed');
}

function tagOf(version: number): string {
  return `"${version}"`;
}
