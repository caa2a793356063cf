/** What ends what was started: a test, or a longer run. */
export interface Cleanup {
  after(cleanUp: () => unknown): void;
}
