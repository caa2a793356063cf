/** One thing that is wrong with a document. Neither field ever holds a value of the document, which may be a secret. */
export interface Issue {
  /** JSON pointer (RFC 6901) to the field; `''` for the document as a whole. Very long names in it are cut. */
  readonly pointer: string;
  /** For people, e.g. `value must be a string`. */
  readonly message: string;
}

/** Above this number an answer only says how many more there are: a hostile body can have a fault in every element. */
const MAX_LISTED_ISSUES = 20;
const MAX_SEGMENT_CHARACTERS = 128;

/** Adds one field name or array index to a JSON pointer, escaped as RFC 6901 §3 demands. */
export function appendPointer(pointer: string, segment: string | number): string {
  const text = String(segment);
  const kept = text.length <= MAX_SEGMENT_CHARACTERS ? text : `${text.slice(0, MAX_SEGMENT_CHARACTERS)}…`;
  return `${pointer}/${kept.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The same issues, seen from a document that holds the examined value at `pointer`. */
export function issuesBelow(pointer: string, issues: readonly Issue[]): readonly Issue[] {
  return issues.map((issue) => ({ pointer: `${pointer}${issue.pointer}`, message: issue.message }));
}

/**
 * The text of `error_msg`: `Error at "/path_prefix": value must be a string`, several joined by `; `.
 * The wording is that of the validator behind API7's Admin API, which clients look for.
 */
export function formatIssues(issues: readonly Issue[]): string {
  const listed = issues.slice(0, MAX_LISTED_ISSUES).map((issue) => `Error at "${issue.pointer}": ${issue.message}`);
  const unlisted = issues.length - listed.length;
  return [...listed, ...(unlisted > 0 ? [`and ${unlisted} more`] : [])].join('; ');
}
