import assert from 'node:assert/strict';
import test from 'node:test';
import { runAs } from './run-as.ts';

const ACCOUNTS = { '/etc/passwd': 'root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\n', '/etc/group': 'root:x:0:\nstaff:x:50:\n' };
const readAccounts = (file: string): string => ACCOUNTS[file as keyof typeof ACCOUNTS];
const asRoot = (user: string | undefined, allowRoot = false) => runAs({ user, allowRoot, currentUid: 0, readAccounts });

test('root is refused unless told who to be', () => {
  assert.throws(() => asRoot(undefined), /does not serve as root: name a user with --user, or insist with --allow-root/);
  assert.equal(asRoot(undefined, true), undefined);
});

test('a user is found by name, by number and with another group', () => {
  assert.deepEqual(asRoot('web'), { uid: 33, gid: 34 });
  assert.deepEqual(asRoot('web:staff'), { uid: 33, gid: 50 });
  assert.deepEqual(asRoot('1000:1001'), { uid: 1000, gid: 1001 });
});

test('an unknown user or group, and --user without root, are refused', () => {
  assert.throws(() => asRoot('nobody-here'), /no user or group "nobody-here"/);
  assert.throws(() => asRoot('web:nothing'), /no user or group "web:nothing"/);
  assert.throws(() => runAs({ user: 'web', allowRoot: false, currentUid: 1000, readAccounts }), /needs a start as root/);
  assert.equal(runAs({ user: undefined, allowRoot: false, currentUid: 1000, readAccounts }), undefined);
});
