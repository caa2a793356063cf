/** One match: its captures, the whole match first, undefined for those that took no part. */
export interface EngineMatch {
  readonly index: number;
  readonly captures: readonly (string | undefined)[];
}

/** What searches for a compiled pattern. */
export interface RegexEngine {
  /** `native` is JavaScript's own backtracking engine, `re2` the one that is linear on any pattern. */
  readonly name: 'native' | 're2';
  test(text: string): boolean;
  /** The first match that begins at `from` or later; what stands before `from` is still seen by `^` and `\b`. */
  find(text: string, from: number): EngineMatch | undefined;
  /** Called before matches are searched for one after the other. */
  prepareForMany(): void;
}
