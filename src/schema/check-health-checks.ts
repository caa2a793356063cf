import { isFieldName, isFieldValue } from '../lib/field-syntax.ts';
import { splitHeaderLine } from './effective-checks.ts';
import type { HealthChecksDocument } from './health-checks.ts';
import { appendPointer, type Issue } from './issue.ts';

/** Path and query as they stand in a request line: printable ASCII without blanks. */
const REQUEST_TARGET = /^\/[!-~]*$/;
const HOST = /^[0-9a-zA-Z._:[\]-]+$/;

/** What the schema cannot say of `checks`. Pointers are relative to the upstream. */
export function checkHealthChecks(checks: HealthChecksDocument | undefined): readonly Issue[] {
  if (checks === undefined) return [];
  const { active, passive } = checks;
  if (active === undefined) return passive === undefined ? [] : [{ pointer: '/checks/active', message: 'property "active" is missing' }];
  const issues: Issue[] = [];
  if (active.http_path !== undefined && !REQUEST_TARGET.test(active.http_path))
    issues.push({ pointer: '/checks/active/http_path', message: 'value must be a path that begins with "/", in printable ASCII' });
  if (active.host !== undefined && !HOST.test(active.host))
    issues.push({ pointer: '/checks/active/host', message: 'value must be a host name or an IP address' });
  active.req_headers?.forEach((line, index) => {
    const [name, value] = splitHeaderLine(line);
    if (line.includes(':') && isFieldName(name) && isFieldValue(value)) return;
    issues.push({ pointer: appendPointer('/checks/active/req_headers', index), message: 'value must be a header as "Name: value"' });
  });
  return issues;
}
