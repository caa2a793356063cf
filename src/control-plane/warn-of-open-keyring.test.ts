import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { warnOfOpenKeyring } from './warn-of-open-keyring.ts';

test('a keyring that every user can get at is warned of, one of its owner and group is not', async (t) => {
  const keyringFile = path.join(await temporaryFolder(t), 'keyring.json');
  const log = new RecordingLogger();
  warnOfOpenKeyring({ keyringFile, log });
  await writeFile(keyringFile, '{}');
  for (const mode of [0o600, 0o440, 0o644, 0o602]) {
    await chmod(keyringFile, mode);
    warnOfOpenKeyring({ keyringFile, log });
  }
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields.mode]),
    [
      ['warn', '0644'],
      ['warn', '0602'],
    ],
  );
});
