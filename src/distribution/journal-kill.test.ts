import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { OfflineGateway } from './test-support/offline-gateway.ts';

test('a process killed at any moment loses no revision that it had acknowledged', async (t) => {
  for (const acknowledged of [3, 20, 41]) {
    const folder = await temporaryFolder(t);
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'test-support', 'journal-process.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    let last = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      if (last >= acknowledged) child.kill('SIGKILL');
    }
    await gone;
    assert.ok(last >= acknowledged);
    const again = await OfflineGateway.start(t, folder, { previousEnd: 'killed' });
    assert.ok((again.held.revision ?? 0) >= last, `${last} was acknowledged, ${again.held.revision} is there`);
    assert.equal(again.applier.items.size, again.held.revision);
    assert.equal(again.log.lines.filter((line) => line.level !== 'info').length, 0);
  }
});
