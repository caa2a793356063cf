import { type ApiRequest, PreconditionFailed } from '../http/index.ts';
import { entityTag } from './present-resource.ts';

/**
 * Checks `If-Match` and `If-None-Match` (RFC 9110, section 13.1) of a write against the revision it would replace, undefined when the
 * resource does not exist. Answers whether the write depends on that revision.
 *
 * @throws PreconditionFailed 412 with the current tag
 */
export function checkWritePreconditions(request: ApiRequest, current: number | undefined): boolean {
  const ifMatch = tagsOf(request.header('if-match'));
  const ifNoneMatch = tagsOf(request.header('if-none-match'));
  if (ifMatch !== undefined && !matches(ifMatch, current)) throw preconditionFailed(current);
  // The weak comparison counts here: a tag differs only in its prefix.
  if (ifNoneMatch !== undefined && matches(ifNoneMatch.map(withoutWeakness), current)) {
    throw preconditionFailed(current, 'the resource exists already');
  }
  return ifMatch !== undefined || ifNoneMatch !== undefined;
}

/** The refusal of a write that expected something else; `current` is undefined when there is nothing. */
export function preconditionFailed(current: number | undefined, publicMessage?: string): PreconditionFailed {
  if (current === undefined) return new PreconditionFailed('the resource does not exist', undefined);
  return new PreconditionFailed(publicMessage ?? 'the resource has changed', entityTag(current));
}

/** Whether a reader already has this revision (`If-None-Match`), so that 304 is the answer. */
export function isNotModified(request: ApiRequest, revision: number): boolean {
  const tags = tagsOf(request.header('if-none-match'));
  return tags !== undefined && matches(tags.map(withoutWeakness), revision);
}

function tagsOf(header: string | undefined): readonly string[] | undefined {
  return header?.split(',').map((tag) => tag.trim());
}

function withoutWeakness(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

function matches(tags: readonly string[], current: number | undefined): boolean {
  return current !== undefined && (tags.includes('*') || tags.includes(entityTag(current)));
}
