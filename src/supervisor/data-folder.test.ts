import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { openDataFolder, settleDataFolder } from './data-folder.ts';

function prepareDataFolder(folder: string): void {
  openDataFolder(folder);
  settleDataFolder(folder, undefined);
}

test('a new data folder is for its owner only and bears a format mark', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'data');
  prepareDataFolder(folder);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(JSON.parse(readFileSync(path.join(folder, 'format.json'), 'utf8')), { format: 1 });
  prepareDataFolder(folder);
  assert.deepEqual(readdirSync(folder).sort(), ['format.json', 'gateway', 'logs']);
});

test('a folder of a newer version is left untouched', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(path.join(folder, 'format.json'), '{"format":2}');
  assert.throws(() => prepareDataFolder(folder), /made by a newer version of Portcullis/);
  assert.deepEqual(readdirSync(folder), ['format.json']);
});

test('a damaged mark and a path that is no folder are named', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(path.join(folder, 'format.json'), '{');
  assert.throws(() => prepareDataFolder(folder), /format\.json is damaged/);
  writeFileSync(path.join(folder, 'file'), '');
  assert.throws(() => prepareDataFolder(path.join(folder, 'file')), /cannot be written \(EEXIST\)|is not a folder/);
  assert.throws(() => prepareDataFolder(path.join(folder, 'file', 'below')), /cannot be written \(ENOTDIR\)/);
});

test('a folder that others may read is closed to them, but only when it has been claimed', async (t) => {
  const folder = await temporaryFolder(t);
  chmodSync(folder, 0o755);
  openDataFolder(folder);
  assert.equal(statSync(folder).mode & 0o777, 0o755);
  assert.deepEqual(readdirSync(folder), []);
  settleDataFolder(folder, undefined);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});
