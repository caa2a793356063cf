import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';

const MODULE = new URL('keep-compiled-code.ts', import.meta.url).href;

/** How many translated modules a process leaves that runs `code` and is killed. */
async function keptBy(t: Parameters<typeof temporaryFolder>[0], code: string): Promise<number> {
  const folder = await temporaryFolder(t);
  const program = `import { keepCompiledCode } from '${MODULE}'; ${code}; process.stdout.write('done'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

test('a process that is killed leaves what it has translated to the next one', async (t) => {
  assert.ok((await keptBy(t, 'keepCompiledCode()')) > 0);
});

test('without it such a process leaves nothing', async (t) => {
  assert.equal(await keptBy(t, 'void keepCompiledCode'), 0);
});
