import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';
import { applyJsonPatch } from './apply-json-patch.ts';
import { applyMergePatch } from './apply-merge-patch.ts';
import { refusePatch } from './patch-budget.ts';

/** Makes the document that a request wants of the one that is there. @throws PortcullisError 400, 409 */
export type Patch = (document: JsonObject) => JsonValue;

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';

/**
 * The patch that a body holds: an array is a JSON Patch (RFC 6902), an object a JSON Merge Patch (RFC 7396). A content type that names one
 * of them must agree; any other, and none, is taken for the one that the body looks like, for clients call everything `application/json`.
 *
 * @throws PortcullisError 400 when it is neither, or not what it is called
 */
export function readPatch(body: JsonValue, contentType: string | undefined): Patch {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (isArray(body)) {
    if (mediaType === MERGE_PATCH) throw refusePatch('', 'a merge patch must be an object');
    return (document) => applyJsonPatch(document, body);
  }
  if (!isJsonObject(body)) throw refusePatch('', 'value must be an array (JSON Patch) or an object (merge patch)');
  if (mediaType === JSON_PATCH) throw refusePatch('', 'a JSON Patch must be an array');
  return (document) => applyMergePatch(document, body);
}

/** Refuses what a body could not have brought: many small patches must not make a document that no read can carry. */
export function assertPatchedSize(document: JsonValue, maxBytes: number): void {
  if (Buffer.byteLength(JSON.stringify(document)) <= maxBytes) return;
  throw new PortcullisError('admin_body_too_large', { publicMessage: `the patched resource is too large: the limit is ${maxBytes} bytes` });
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
