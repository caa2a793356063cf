import type { Author, ChangeOrigin, ChangeSource } from './store.ts';

interface StoredOrigin {
  readonly source?: string;
  readonly address?: string;
  readonly userAgent?: string;
  readonly reason?: string;
  readonly requestId?: string;
}

/** Where an author's changes come from; told by the author's id where nothing else is known. */
export function originOf(author: Author): ChangeOrigin {
  return (
    author.origin ?? { source: sourceOf(author.id), address: undefined, userAgent: undefined, reason: undefined, requestId: undefined }
  );
}

/** The text form of a column `origin`; what is undefined is left out. */
export function originText(origin: ChangeOrigin): string {
  return JSON.stringify(origin);
}

/** Reads such a column, and null of rows that older software wrote. */
export function readOrigin(text: string | null, authorId: string, address?: string | null): ChangeOrigin {
  const stored: StoredOrigin = text === null ? {} : JSON.parse(text);
  const { source } = stored;
  return {
    source: source === 'api' || source === 'cli' || source === 'system' ? source : sourceOf(authorId),
    address: stored.address ?? address ?? undefined,
    userAgent: stored.userAgent,
    reason: stored.reason,
    requestId: stored.requestId,
  };
}

function sourceOf(authorId: string): ChangeSource {
  return authorId === 'cli' || authorId === 'system' ? authorId : 'api';
}
