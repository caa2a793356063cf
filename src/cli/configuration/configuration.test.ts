import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { StartError } from '../../errors/index.ts';
import { readConfiguration } from './configuration.ts';
import { configurationTable } from './configuration-table.ts';

const folder = '/srv/portcullis';
const read = (sources: { flags?: Record<string, string>; environment?: Record<string, string>; folder?: string; file?: string }) =>
  readConfiguration({
    flags: new Map(Object.entries(sources.flags ?? {})),
    environment: sources.environment ?? {},
    folder: sources.folder ?? folder,
    file: sources.file,
  });

test('without any source the documented defaults hold', () => {
  const configuration = read({});
  assert.deepEqual(
    [
      configuration.adminPort,
      configuration.httpPort,
      configuration.httpsPort,
      configuration.syncPort,
      configuration.statusPort,
      configuration.metricsPort,
      configuration.demoPort,
    ],
    [7443, 9080, 9443, 7943, 7085, 9091, 8081],
  );
  assert.equal(configuration.dataFolder, '/srv/portcullis/data');
  assert.equal(configuration.keyringFile, '/srv/portcullis/data/keyring.json');
  assert.deepEqual(configuration.httpHosts, []);
  assert.deepEqual(configuration.adminHosts, ['127.0.0.1', '::1']);
  assert.equal(configuration.drainTimeoutMs, 30_000);
  assert.equal(configuration.demo, true);
});

test('variables are opened to references by a list of their names', () => {
  assert.deepEqual(read({}).envReferences, []);
  assert.deepEqual(read({ environment: { PORTCULLIS_ENV_REFERENCES: 'PGPASSWORD, AWS_TOKEN' } }).envReferences, [
    'PGPASSWORD',
    'AWS_TOKEN',
  ]);
  for (const text of ['A,,B', 'A=B', '$env://A', 'A B']) {
    assert.throws(() => read({ flags: { 'env-references': text } }), StartError);
  }
});

test('what may be connected to is a list of addresses and networks', () => {
  assert.deepEqual(read({}).dial, { allow: [], deny: [] });
  const flags = { 'dial-allow': '169.254.10.0/24, fe80::1', 'dial-deny': '10.0.0.0/8,::ffff:192.0.2.0/120' };
  assert.deepEqual(read({ flags }).dial, { allow: ['169.254.10.0/24', 'fe80::1'], deny: ['10.0.0.0/8', '::ffff:192.0.2.0/120'] });
  for (const text of ['localhost', '10.0.0.0/33', '10.0.0.1,', '::ffff:10.0.0.0/90']) {
    assert.throws(() => read({ flags: { 'dial-deny': text } }), refusal(/--dial-deny must be a list of IP addresses and networks/), text);
  }
});

test('flags win over the environment, and the environment over the file', async (t) => {
  const place = await temporaryFolder(t);
  writeFileSync(path.join(place, 'portcullis.yaml'), 'http-port: 1000\nadmin-port: 1001\nsync-port: 1002\n');
  const configuration = read({
    folder: place,
    environment: { PORTCULLIS_ADMIN_PORT: '2001', PORTCULLIS_SYNC_PORT: '2002' },
    flags: { 'sync-port': '3002' },
  });
  assert.deepEqual([configuration.httpPort, configuration.adminPort, configuration.syncPort], [1000, 2001, 3002]);
});

test('a list in the file and a list in a variable mean the same', async (t) => {
  const place = await temporaryFolder(t);
  writeFileSync(path.join(place, 'other.yaml'), 'admin-listen: [127.0.0.1, "::1"]\nno-demo: true\n');
  assert.deepEqual(read({ folder: place, file: 'other.yaml' }).adminHosts, ['127.0.0.1', '::1']);
  assert.equal(read({ folder: place, file: 'other.yaml' }).demo, false);
  assert.deepEqual(read({ environment: { PORTCULLIS_ADMIN_LISTEN: '127.0.0.1, ::1' } }).adminHosts, ['127.0.0.1', '::1']);
});

test('an unknown key is refused with its line and the nearest known one', async (t) => {
  const place = await temporaryFolder(t);
  writeFileSync(path.join(place, 'portcullis.yaml'), '# ports\nadmin-prot: 7443\n');
  assert.throws(() => read({ folder: place }), refusal(/portcullis\.yaml:2: "admin-prot" is not a setting; did you mean "admin-port"\?/));
  writeFileSync(path.join(place, 'portcullis.yaml'), 'bootstrap-token: secret\n');
  assert.throws(() => read({ folder: place }), refusal(/"bootstrap-token" is not a setting/));
});

test('an unknown variable is refused with the nearest known one, and what Kubernetes sets is not', () => {
  assert.throws(
    () => read({ environment: { PORTCULLIS_ADMIN_PROT: '1' } }),
    refusal('PORTCULLIS_ADMIN_PROT is not a setting; did you mean PORTCULLIS_ADMIN_PORT?'),
  );
  read({
    environment: {
      PORTCULLIS_SERVICE_HOST: '10.0.0.1',
      PORTCULLIS_PORT: 'tcp://10.0.0.1:80',
      PORTCULLIS_PORT_80_TCP_ADDR: '10.0.0.1',
      PORTCULLIS_HTTP_PORT: 'tcp://10.0.0.1:80',
    },
  });
});

test('broken YAML, a missing file and values of the wrong type say where and what', async (t) => {
  const place = await temporaryFolder(t);
  writeFileSync(path.join(place, 'portcullis.yaml'), 'http-port: 1\nhttp-port: 2\n');
  assert.throws(() => read({ folder: place }), refusal(/portcullis\.yaml:2 is not valid YAML/));
  writeFileSync(path.join(place, 'portcullis.yaml'), '- http-port\n');
  assert.throws(() => read({ folder: place }), refusal(/must hold lines of the form/));
  writeFileSync(path.join(place, 'portcullis.yaml'), 'http-port: {a: 1}\n');
  assert.throws(() => read({ folder: place }), refusal(/"http-port" must have a plain value/));
  assert.throws(() => read({ file: '/nowhere/x.yaml' }), refusal(/\/nowhere\/x\.yaml cannot be read/));
  assert.throws(
    () => read({ flags: { 'http-port': '65536' } }),
    refusal('--http-port must be a port from 0 (any free one) to 65535, not "65536".'),
  );
  assert.throws(() => read({ flags: { workers: '0' } }), refusal(/--workers must be a whole number from 1 to 256/));
  assert.throws(() => read({ flags: { 'admin-listen': 'localhost' } }), refusal(/--admin-listen must be a list of IP addresses/));
  assert.throws(() => read({ environment: { PORTCULLIS_ALLOW_ROOT: 'maybe' } }), refusal(/PORTCULLIS_ALLOW_ROOT must be true or false/));
  assert.throws(() => read({ flags: { 'admin-tls-cert': 'a.pem' } }), refusal(/go together/));
});

test('two servers on one port are refused, unless any free port will do', () => {
  assert.throws(
    () => read({ flags: { 'admin-port': '9080' } }),
    refusal('--admin-port and --http-port are both 9080: give each a port of its own.'),
  );
  read({ flags: { 'admin-port': '0', 'http-port': '0' } });
});

test("the README's table of settings is the one in the program", () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const table = /<!-- configuration:start -->\n([\s\S]*?)<!-- configuration:end -->/.exec(readme)?.[1];
  assert.equal(table?.trim(), configurationTable().trim());
});

function refusal(message: string | RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartError, String(error));
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  };
}
