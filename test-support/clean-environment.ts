/** The variables of this process without those that are settings of the product or of the test runner: what a child of a test starts with. */
export function cleanEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PORTCULLIS_|DATABASE_URL|NODE_OPTIONS$|NODE_TEST_)/.test(name)),
  );
}
