import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { StartError } from '../../errors/index.ts';
import { takeSecretSettings } from './secret-settings.ts';

test('secrets are taken out of the environment, from their variables or from the files that are named', async (t) => {
  const file = path.join(await temporaryFolder(t), 'url');
  writeFileSync(file, 'postgres://h/d\r\n');
  const environment = { PATH: '/bin', PORTCULLIS_BOOTSTRAP_TOKEN: 'token', PORTCULLIS_ADMIN_PASSWORD: '', DATABASE_URL_FILE: file };
  assert.deepEqual(takeSecretSettings(environment), {
    databaseUrl: 'postgres://h/d',
    targetDatabaseUrl: undefined,
    bootstrapToken: 'token',
    adminPassword: undefined,
    snapshotKey: undefined,
    joinToken: undefined,
    s3AccessKeyId: undefined,
    s3SecretAccessKey: undefined,
  });
  assert.deepEqual(environment, { PATH: '/bin' });
});

test('both forms at once, and a file that cannot be read, are told without the secret', () => {
  const refusal = (environment: Record<string, string>, message: RegExp): void => {
    assert.throws(
      () => takeSecretSettings(environment),
      (error) => {
        assert.ok(error instanceof StartError);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hidden/);
        return true;
      },
    );
  };
  refusal({ DATABASE_URL: 'postgres://u:hidden@h/d', DATABASE_URL_FILE: '/none' }, /^Set DATABASE_URL or DATABASE_URL_FILE, not both\.$/);
  refusal({ DATABASE_URL_FILE: '/none' }, /^The file named by DATABASE_URL_FILE cannot be read/);
});
