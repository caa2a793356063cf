import { PortcullisError } from '../../errors/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import { formatIssues, isJsonObject, type ResourceKind } from '../../schema/index.ts';

/**
 * The id that a body gives its resource where no path does: the first of its id fields, or the name of a global rule's plugin; undefined when
 * it gives none.
 *
 * @throws PortcullisError 400 for an id that is no text
 */
export function idInBody(kind: ResourceKind, body: JsonValue): string | undefined {
  if (!isJsonObject(body)) return undefined;
  for (const field of kind.bodyIdFields) {
    const id = Object.hasOwn(body, field) ? body[field] : undefined;
    if (typeof id === 'string') return id;
    if (id !== undefined && kind.idField === 'id')
      throw new PortcullisError('admin_invalid', {
        publicMessage: formatIssues([{ pointer: `/${field}`, message: 'value must be a string' }]),
      });
  }
  return kind.ownId(body);
}
