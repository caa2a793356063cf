import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { joinCommands } from './join-commands.ts';

const run = promisify(execFile);
const TOKEN = `pcj1.2f0b1a52-6f53-4f0e-8f6e-0c7a6d1c9b11.${'s'.repeat(43)}.${'p'.repeat(43)}`;
const COMMANDS = joinCommands({
  token: TOKEN,
  controlPlanes: [
    { host: 'cp.example.com', port: 7943 },
    { host: '::1', port: 7944 },
  ],
  softwareVersion: '1.2.3',
});

test('every command is one that a shell understands, with all addresses, and the token stands in no line that is run', async () => {
  for (const [name, command] of Object.entries<string>({ ...COMMANDS })) {
    await run('bash', ['-n', '-c', command]);
    assert.ok(command.includes('https://cp.example.com:7943,https://[::1]:7944'), name);
    const withToken = command.split('\n').filter((line) => line.includes(TOKEN));
    assert.deepEqual(withToken, [name === 'kubernetes' ? `  join-token: "${TOKEN}"` : TOKEN], name);
    if (name !== 'node') assert.ok(command.includes('1.2.3'), name);
  }
});

test('what is written as YAML is YAML', () => {
  const between = (command: string): string => command.split("<<'END'\n").at(-1)?.split('\nEND\n')[0] ?? '';
  for (const text of [between(COMMANDS.compose), ...between(COMMANDS.kubernetes).split('\n---\n')]) {
    const document = parseDocument(text);
    assert.deepEqual(document.errors, []);
    assert.equal(typeof document.toJS(), 'object');
  }
});

test('what runs in a container can be asked for its metrics and tells how it is; Docker shows neither to other machines', () => {
  for (const name of ['docker', 'compose', 'kubernetes'] as const) assert.match(COMMANDS[name], /--metrics-listen[", ]+0\.0\.0\.0/, name);
  for (const name of ['docker', 'compose'] as const) {
    assert.match(COMMANDS[name], /127\.0\.0\.1:9091:9091/, name);
    assert.match(COMMANDS[name], /^HEALTHCHECK CMD \["node", "-e", "fetch\('http:\/\/127\.0\.0\.1:7085\/status'\)/m, name);
  }
  const pods = COMMANDS.kubernetes.split('\n---\n').at(-1)?.split('\nEND\n')[0] ?? '';
  assert.deepEqual(parseDocument(pods).toJS().spec.template.metadata.annotations, {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': '9091',
    'prometheus.io/path': '/apisix/prometheus/metrics',
  });
});

test('the command for plain Node writes the token for its owner alone and starts the gateway with its file', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(path.join(folder, 'bin'));
  await writeFile(path.join(folder, 'bin', 'portcullis.js'), 'console.log(process.argv.slice(2).join(" "))');
  const { stdout } = await run('bash', ['-c', COMMANDS.node], { cwd: folder });
  const words = '--control-plane https://cp.example.com:7943,https://[::1]:7944 --join-token-file portcullis-join-token';
  assert.equal(stdout, `gateway --data-dir ./gateway-data ${words}\n`);
  const file = path.join(folder, 'portcullis-join-token');
  assert.equal(await readFile(file, 'utf8'), `${TOKEN}\n`);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});
