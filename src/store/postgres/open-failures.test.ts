import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { queryPostgres } from '../../../test-support/postgres-server.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import { withOwnPostgres, withPostgres } from '../../../test-support/with-postgres.ts';
import { PortcullisError, StartError } from '../../errors/index.ts';
import { AUTHOR } from '../contract/sample-writes.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { runFailure, startFailure } from './failures.ts';
import { PostgresFailure } from './postgres-failure.ts';

const NOBODY_LISTENS = 'postgres://gateway:hidden@127.0.0.1:1/portcullis';

withPostgres('a database that does not exist or does not answer is told in one sentence', async (context, url) => {
  const { open } = await makeDatabaseSchema(context, url);
  const elsewhere = new URL(url);
  elsewhere.pathname = '/no-such-database';
  await assert.rejects(
    open({ url: elsewhere.href }),
    startError(/^The PostgreSQL database no-such-database at .* does not exist: create it/),
  );
  await assert.rejects(open({ url: NOBODY_LISTENS }), startError(/at 127\.0\.0\.1:1 cannot be reached: check that it runs/));
});

withOwnPostgres('a server that comes up late is waited for', {}, async (context, server) => {
  const { open } = await makeDatabaseSchema(context, server.url);
  await server.stop();
  const opening = open({ patienceMs: 20_000 });
  await server.start();
  assert.equal((await (await opening).listGroups()).length, 0);
});

const ACCESS = ['local all all trust', 'host all postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256'];

withOwnPostgres(
  'a wrong password, a missing one and missing rights each have their sentence',
  { access: ACCESS },
  async (context, server) => {
    await queryPostgres(server.url, "CREATE ROLE gateway LOGIN PASSWORD 'right'");
    const { open, schema, query } = await makeDatabaseSchema(context, server.url);
    const as = (credentials: string) => server.url.replace('postgres@', `${credentials}@`);
    await assert.rejects(open({ url: as('gateway:hidden') }), startError(/refused the user gateway: check user and password/));
    await assert.rejects(open({ url: as('gateway') }), startError(/refused the user gateway, who came without a password: check/));
    await assert.rejects(open({ url: as('gateway:right') }), startError(/The user gateway may not make the schema.*grant CREATE/));
    await queryPostgres(server.url, `CREATE SCHEMA ${schema} AUTHORIZATION gateway`);
    const store = await open({ url: as('gateway:right') });
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
    assert.equal((await query('SELECT id FROM gateway_groups')).length, 1);
  },
);

test('TLS to the server', async (context) => {
  const { cert, key } = await createTestCertificate();
  const ca = path.join(await temporaryFolder(context), 'ca.pem');
  await writeFile(ca, cert);
  const tls = { certificate: cert, key };
  const settings = ['ssl_min_protocol_version=TLSv1.2'];
  withOwnPostgres(
    'is checked as far as sslmode says',
    { tls, settings, access: ['hostssl all all 127.0.0.1/32 trust'] },
    async (test, server) => {
      const { open } = await makeDatabaseSchema(test, `${server.url}?sslmode=no-verify`);
      const at = (query: string, host = 'localhost') => ({ url: `${server.url.replace('127.0.0.1', host)}?${query}` });
      const store = await open(at(`sslmode=verify-full&sslrootcert=${ca}`));
      await store.close();
      await (await open(at('sslmode=require'))).close();
      await (await open(at(`sslmode=verify-ca&sslrootcert=${ca}`, '127.0.0.1'))).close();
      await assert.rejects(open(at(`sslmode=verify-full&sslrootcert=${ca}`, '127.0.0.1')), startError(/certificate .* is not one that/));
      await assert.rejects(open(at('sslmode=verify-full')), startError(/certificate .* is not one that/));
      await assert.rejects(open(at('sslmode=disable')), startError(/lets the user postgres in from here only with TLS.*add sslmode=/));
    },
  );
  withOwnPostgres('that the server does not have is told', {}, async (test, server) => {
    const { open } = await makeDatabaseSchema(test, server.url);
    await assert.rejects(
      open({ url: `${server.url}?sslmode=require` }),
      startError(/has no TLS: switch it on there, or use sslmode=disable/),
    );
  });
});

withOwnPostgres(
  'a replica and an encoding that lacks characters are refused',
  { settings: ['default_transaction_read_only=on'] },
  async (context, server) => {
    const writable = `${server.url}?options=-c%20default_transaction_read_only%3Doff`;
    const { open } = await makeDatabaseSchema(context, writable);
    await assert.rejects(open({ url: server.url }), startError(/is read-only: name the primary server/));
    await queryPostgres(writable, 'CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0');
    await assert.rejects(
      open({ url: server.url.replace(/postgres$/, 'latin') }),
      startError(/has the encoding LATIN1: create one with ENCODING 'UTF8'/),
    );
  },
);

test('every failure at run time is an unavailable store that may be tried again, and none carries the values of a row', () => {
  const values = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (digest)=(hidden)', where: 'hidden' });
  for (const cause of [values, new Error('Connection terminated unexpectedly'), Object.assign(new Error('x'), { code: '53100' })]) {
    const error = runFailure(new PostgresFailure(cause, true));
    assert.ok(error instanceof PortcullisError);
    assert.equal(error.reason, 'store_unavailable');
    assert.equal(error.code.status, 503);
    assert.doesNotMatch(JSON.stringify([error, error.message, error.cause, Object.entries(error.cause ?? {})]), /hidden/);
  }
  const mistake = new TypeError('a mistake of the program');
  assert.equal(runFailure(mistake), mistake);
  assert.equal(startFailure(mistake, parseDatabaseUrl(NOBODY_LISTENS)), mistake);
});

test('a server that has no line for whoever comes is told apart from a wrong password', () => {
  const message = 'no pg_hba.conf entry for host "10.0.0.9", user "gateway", database "portcullis", SSL encryption';
  const failure = new PostgresFailure(Object.assign(new Error(message), { code: '28000' }), false);
  assert.ok(startError(/does not let the user gateway in from here: add a line/)(startFailure(failure, parseDatabaseUrl(NOBODY_LISTENS))));
});

function startError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartError, String(error));
    assert.match(error.message, message);
    assert.match(error.message, /^[^\n]+\.$/);
    assert.doesNotMatch(error.message, /hidden|right/);
    return true;
  };
}
