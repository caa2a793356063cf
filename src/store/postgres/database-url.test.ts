import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { StartError } from '../../errors/index.ts';
import { isInClear, parseDatabaseUrl } from './database-url.ts';

test('a URL is read as libpq reads it', () => {
  const address = parseDatabaseUrl('postgresql://ada%40x:p%3Aw%2F@db.example.com/my%20gateway?application_name=blue');
  assert.deepEqual(
    { ...address },
    {
      host: 'db.example.com',
      port: 5432,
      user: 'ada@x',
      password: 'p:w/',
      database: 'my gateway',
      tls: undefined,
      applicationName: 'blue',
      description: 'the PostgreSQL database my gateway at db.example.com:5432',
    },
  );
  assert.equal(parseDatabaseUrl('postgres://[::1]:6000/x').host, '::1');
  assert.equal(parseDatabaseUrl('postgres://[::1]:6000/x').description, 'the PostgreSQL database x at [::1]:6000');
  assert.equal(parseDatabaseUrl('postgres:///x?host=/run/postgresql').host, '/run/postgresql');
  assert.equal(parseDatabaseUrl('postgres://%2Frun%2Fpostgresql/x').host, '/run/postgresql');
});

test('only another machine without TLS is spoken to in clear', () => {
  const inClear = (url: string) => isInClear(parseDatabaseUrl(url));
  assert.deepEqual(
    ['localhost', '127.0.0.1', '[::1]', '%2Frun'].map((host) => inClear(`postgres://${host}/d`)),
    [false, false, false, false],
  );
  assert.deepEqual(
    ['', '?sslmode=require'].map((query) => inClear(`postgres://db.example.com/d${query}`)),
    [true, false],
  );
});

test('each sslmode checks what it says, and files are read at once', async (context) => {
  const ca = path.join(await temporaryFolder(context), 'ca.pem');
  await writeFile(ca, 'an authority');
  const tls = (query: string) => parseDatabaseUrl(`postgres://h/d?${query}`).tls;
  assert.equal(tls('sslmode=disable'), undefined);
  assert.deepEqual(tls('sslmode=require'), { rejectUnauthorized: false });
  assert.deepEqual(tls('sslmode=verify-full'), {});
  assert.deepEqual(tls('sslmode=verify-full&sslrootcert=system'), {});
  assert.deepEqual(tls(`sslmode=verify-full&sslrootcert=${ca}`), { ca: 'an authority' });
  for (const mode of ['require', 'verify-ca']) {
    const checked = tls(`sslmode=${mode}&sslrootcert=${ca}`);
    assert.equal(checked?.rejectUnauthorized, undefined);
    assert.equal(typeof checked?.checkServerIdentity, 'function');
  }
});

const REFUSED: readonly (readonly [url: string, message: RegExp])[] = [
  ['', /is no address of the form postgres:/],
  ['mysql://u:hidden@h/d', /is no address of the form/],
  ['postgres://u:hidden@h:port/d', /is no address of the form/],
  ['postgres://u:hidden@one:1,two:2/d', /is no address of the form/],
  ['postgres://u:hidden@h', /names no database/],
  ['postgres://u:hidden@/d', /is no address|names no host/],
  ['postgres://u:hidden%@h/d', /broken percent escape/],
  ['postgres://u:hidden@h/d?ssl=true', /unknown parameter ssl: known are sslmode/],
  ['postgres://u:hidden@h/d?sslmode=prefer', /unknown sslmode: use disable, require/],
  ['postgres://u:hidden@h/d?sslrootcert=/none', /cannot be read/],
  ['postgres://u:hidden@h/d?sslmode=verify-full&sslkey=/none', /The file \/none, which sslkey in DATABASE_URL names, cannot be read/],
];

test('what is wrong with a URL is told in one sentence that does not quote the password', () => {
  for (const [url, message] of REFUSED) {
    assert.throws(
      () => parseDatabaseUrl(url),
      (error) => {
        assert.ok(error instanceof StartError, url);
        assert.match(error.message, message);
        assert.match(error.message, /^[^\n]+\.$/);
        assert.doesNotMatch(error.message, /hidden/);
        return true;
      },
    );
  }
});
