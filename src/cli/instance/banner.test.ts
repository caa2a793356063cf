import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { banner } from './banner.ts';
import { showFirstStart } from './first-start-file.ts';

const facts = {
  version: '1.2.3',
  adminUrl: 'https://localhost:7443',
  gatewayUrl: 'http://127.0.0.1:9080',
  demo: { host: '127.0.0.1', port: 8081 },
  groupId: 'default',
  database: undefined,
  firstStart: undefined,
};
const shown = { kind: 'shown', username: 'admin', password: 'a-password', token: 'a7ee-token', tokenDays: 30 } as const;

test('a first start shows user, password and token once, ready to export', () => {
  const text = banner({ ...facts, firstStart: shown });
  assert.match(text, /Admin user {6}admin\n {2}Password {8}a-password\n/);
  assert.match(text, /^export API_KEY=a7ee-token$/m);
  assert.match(text, /\(30 days\)/);
});

test('a store on PostgreSQL is named, so that nobody uses one unawares', () => {
  assert.match(
    banner({ ...facts, database: 'the PostgreSQL database d at h:5432' }),
    /^ {2}Store {11}the PostgreSQL database d at h:5432$/m,
  );
  assert.doesNotMatch(banner(facts), /Store/);
});

test('a later start says how to make another token', () => {
  assert.match(banner(facts), /portcullis token create/);
  assert.doesNotMatch(banner(facts), /export API_KEY/);
});

test('without the demo upstream there are no commands against it', () => {
  assert.doesNotMatch(banner({ ...facts, demo: undefined }), /curl/);
});

test('secrets go to the terminal, or else to a file, never to a log that collects output', async (t) => {
  const dataFolder = await temporaryFolder(t);
  assert.equal(showFirstStart(shown, { dataFolder, terminal: true, owner: undefined }), shown);
  const file = path.join(dataFolder, 'first-start.txt');
  assert.deepEqual(showFirstStart(shown, { dataFolder, terminal: false, owner: undefined }), { kind: 'file', file });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, 'utf8'), /a-password[\s\S]*export API_KEY=a7ee-token/);
  assert.ok(!banner({ ...facts, firstStart: { kind: 'file', file } }).includes('a7ee-token'));
  const given = { ...shown, password: null, token: null };
  assert.equal(showFirstStart(given, { dataFolder, terminal: false, owner: undefined }), given);
});
