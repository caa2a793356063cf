import assert from 'node:assert/strict';
import { withOwnPostgres, withPostgres } from '../../../test-support/with-postgres.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { PostgresDatabase } from './postgres-database.ts';

const WAITS = { connections: 2, timeoutMs: 2000, statementTimeoutMs: 200 };

withOwnPostgres(
  'commits reach the disk even where the server answers before that',
  { settings: ['synchronous_commit=off'] },
  async (_, server) => {
    const database = new PostgresDatabase({ address: parseDatabaseUrl(server.url), schema: 'any', ...WAITS });
    const [settings] = await database.lend((connection) =>
      connection.all(`SELECT current_setting('synchronous_commit') AS commits, current_setting('idle_in_transaction_session_timeout') AS idle,
      current_setting('search_path') AS path, current_setting('application_name') AS application`),
    );
    await database.close();
    assert.deepEqual(settings, { commits: 'on', idle: '10s', path: '"any", pg_temp', application: 'portcullis' });
  },
);

withPostgres('a statement that takes too long is ended by the server, and its connection goes on', async (_, url) => {
  const database = new PostgresDatabase({ address: parseDatabaseUrl(url), schema: 'any', ...WAITS });
  await database.lend(async (connection) => {
    const pid = () => connection.get('SELECT pg_backend_pid() AS pid');
    const before = await pid();
    await assert.rejects(connection.all('SELECT pg_sleep(60)'), { code: '57014', connection: 'kept' });
    assert.deepEqual(await pid(), before);
  });
  await database.close();
});

withPostgres("variables and defaults of PostgreSQL's own programs change nothing", async (context, url) => {
  const foreign = {
    PGHOST: '192.0.2.1',
    PGPORT: '1',
    PGUSER: 'nobody',
    PGPASSWORD: 'x',
    PGDATABASE: 'none',
    PGSSLMODE: 'require',
  };
  context.after(() => {
    for (const name of Object.keys(foreign)) delete process.env[name];
  });
  const { open } = await makeDatabaseSchema(context, url);
  Object.assign(process.env, foreign);
  try {
    assert.deepEqual(await (await open()).listGroups(), []);
  } finally {
    for (const name of Object.keys(foreign)) delete process.env[name];
  }
});

withPostgres('more callers than connections wait for their turn, and each gets its own answer', async (context, url) => {
  const store = await (await makeDatabaseSchema(context, url)).open({ connections: 2 });
  const names = Array.from({ length: 300 }, (_, index) => `s${index}`);
  await store.transaction({ id: 'a', name: 'a' }, async (transaction) => {
    for (const name of names) await transaction.putSetting(name, Buffer.from(name), { secret: true });
  });
  const values = await Promise.all(names.map((name) => store.getSetting(name)));
  assert.deepEqual(
    values.map((value) => value?.toString()),
    names,
  );
});
