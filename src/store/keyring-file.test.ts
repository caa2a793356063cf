import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { systemRandom } from '../lib/random.ts';
import { changeKeyringFile, fingerprintOf, keyringText, newKeyEntry, parseKeyring } from './keyring-file.ts';

test('a file that is changed stays the link, has the mode and keeps the remarks that it had, and leaves nothing beside it', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(path.join(folder, 'secrets'));
  const [target, link] = [path.join(folder, 'secrets', 'kept.json'), path.join(folder, 'keyring.json')];
  const first = { ...newKeyEntry(systemRandom), note: 'of the first day' };
  await writeFile(target, keyringText([first]));
  await chmod(target, 0o640);
  await symlink(target, link);
  // Of a run that was killed.
  await writeFile(`${target}.${randomUUID()}.tmp`, keyringText([first]));
  const second = newKeyEntry(systemRandom);
  await changeKeyringFile(link, (entries) => [second, ...entries]);
  assert.deepEqual(JSON.parse(await readFile(link, 'utf8')), { version: 1, keys: [second, first] });
  assert.deepEqual([(await lstat(link)).isSymbolicLink(), (await stat(target)).mode & 0o777], [true, 0o640]);
  assert.deepEqual(await readdir(path.join(folder, 'secrets')), ['kept.json']);
});

test('what is no keyring, or not there, is refused and stays as it is', async (context) => {
  const file = path.join(await temporaryFolder(context), 'keyring.json');
  await assert.rejects(
    changeKeyringFile(file, (entries) => entries),
    { name: 'StartError', message: /cannot be written/ },
  );
  await writeFile(file, '{"version":1,"keys":[');
  await assert.rejects(
    changeKeyringFile(file, () => [newKeyEntry(systemRandom)]),
    { name: 'StartError', message: /is not a keyring/ },
  );
  assert.equal(await readFile(file, 'utf8'), '{"version":1,"keys":[');
});

test('a fingerprint is the same for the same key under any id, another for another key, and holds nothing of it', () => {
  const [one, other] = [newKeyEntry(systemRandom), newKeyEntry(systemRandom)];
  const [first, renamed, second] = parseKeyring(keyringText([one, { ...one, id: 'renamed' }, other]), 'keyring.json').map(fingerprintOf);
  assert.equal(first, renamed);
  assert.notEqual(first, second);
  assert.match(first ?? '', /^[0-9a-f]{16}$/);
  assert.equal(
    Buffer.from(one.key, 'base64')
      .toString('hex')
      .includes(first ?? ''),
    false,
  );
});
