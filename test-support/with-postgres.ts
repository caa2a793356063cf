import { type TestContext, test } from 'node:test';
import { postgresForTests, type StartedPostgres, startPostgres } from './postgres-server.ts';

/** A test on the PostgreSQL server of this run; skipped aloud where there is none, and failed where skipping is forbidden. */
export function withPostgres(name: string, run: (context: TestContext, url: string) => Promise<void>): void {
  test(name, async (context) => {
    const postgres = await postgresForTests();
    if (postgres.kind === 'url') await run(context, postgres.url);
    else skip(context, postgres.reason);
  });
}

/** A test with a PostgreSQL server of its own, which it may stop; it ends with the process. */
export function withOwnPostgres(
  name: string,
  options: Parameters<typeof startPostgres>[0],
  run: (context: TestContext, server: StartedPostgres) => Promise<void>,
): void {
  test(name, async (context) => {
    const server = await startPostgres(options);
    if (typeof server === 'string') return skip(context, server);
    await run(context, server);
  });
}

function skip(context: TestContext, reason: string): void {
  if (process.env.PORTCULLIS_FORBID_SKIPS === '1') throw new Error(reason);
  context.skip(reason);
}
