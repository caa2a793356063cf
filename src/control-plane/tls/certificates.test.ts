import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { type CertificatePair, createSelfSignedCertificate } from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import { openCertificateFiles } from './certificate-files.ts';
import type { CertificateSource } from './certificate-source.ts';
import { openKeptCertificate } from './kept-certificate.ts';

const DAY_MS = 86_400_000;

function nextOf(source: CertificateSource): Promise<CertificatePair> {
  const { promise, resolve } = Promise.withResolvers<CertificatePair>();
  source.watch(resolve);
  return promise;
}

test('the kept certificate is self-signed, names this machine, is private and survives a restart', async (t) => {
  const folder = await temporaryFolder(t);
  const options = { folder, clock: new FakeClock(), log: new RecordingLogger() };
  const made = await openKeptCertificate(options);
  const certificate = new X509Certificate(made.current.certificate);
  assert.equal(certificate.subject, certificate.issuer);
  assert.equal(certificate.ca, false);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  for (const address of ['127.0.0.1', '::1']) assert.equal(certificate.checkIP(address), address);
  for (const file of ['admin-tls.crt', 'admin-tls.key']) assert.equal((await stat(path.join(folder, file))).mode & 0o777, 0o600);
  assert.deepEqual((await openKeptCertificate(options)).current, made.current);
  made.stop();
});

test('a certificate that is damaged, does not fit its key or is near its end is made anew at the start', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock();
  const options = { folder, clock, log: new RecordingLogger() };
  let last = (await openKeptCertificate(options)).current;
  const other = await createSelfSignedCertificate({ names: ['localhost'] }, clock);
  const spoil = [
    () => writeFile(path.join(folder, 'admin-tls.crt'), 'nothing'),
    () => writeFile(path.join(folder, 'admin-tls.key'), other.privateKey),
    () => writeFile(path.join(folder, 'admin-tls.key'), ''),
    async () => {
      await writeFile(path.join(folder, 'admin-tls.crt'), other.certificate);
      await writeFile(path.join(folder, 'admin-tls.key'), other.privateKey);
    },
    async () => clock.advance(336 * DAY_MS),
  ];
  for (const step of spoil) {
    await step();
    const next = (await openKeptCertificate(options)).current;
    assert.notEqual(next.certificate, last.certificate);
    assert.equal(await readFile(path.join(folder, 'admin-tls.crt'), 'utf8'), next.certificate);
    last = next;
  }
});

test('a certificate is renewed while running, thirty days before its end', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock();
  const source = await openKeptCertificate({ folder, clock, log: new RecordingLogger() });
  const first = source.current;
  const next = nextOf(source);
  clock.advance(334 * DAY_MS);
  assert.equal(source.current, first);
  clock.advance(2 * DAY_MS);
  assert.notEqual((await next).certificate, first.certificate);
  assert.equal(source.current, await next);
  source.stop();
  assert.equal(clock.pendingTasks, 0);
});

test('files of the operator are used, followed when they change, and kept in use when they become useless', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const [one, two] = [
    await createSelfSignedCertificate({ names: ['one'] }, clock),
    await createSelfSignedCertificate({ names: ['two'] }, clock),
  ];
  const files = { certificateFile: path.join(folder, 'own.crt'), keyFile: path.join(folder, 'own.key') };
  const put = async (pair: CertificatePair) => {
    await writeFile(files.certificateFile, pair.certificate);
    await writeFile(files.keyFile, pair.privateKey);
  };
  await put(one);
  const source = await openCertificateFiles({ ...files, clock, log });
  assert.deepEqual(source.current, one);
  const next = nextOf(source);
  await writeFile(files.keyFile, two.privateKey);
  const looked = once(log, 'warn');
  clock.advance(10_000);
  await looked;
  assert.deepEqual(source.current, one);
  await writeFile(files.certificateFile, two.certificate);
  while (clock.pendingTasks === 0) await new Promise(setImmediate);
  clock.advance(10_000);
  assert.deepEqual(await next, two);
  source.stop();
});

/** Resolves with the next line of a level. */
function once(log: RecordingLogger, level: 'warn'): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const warn = log.warn.bind(log);
  log[level] = (...line) => {
    warn(...line);
    resolve();
  };
  return promise;
}

test('files that are of no use at the start are named in one sentence', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock();
  const [one, two] = [
    await createSelfSignedCertificate({ names: ['one'] }, clock),
    await createSelfSignedCertificate({ names: ['two'] }, clock),
  ];
  const files = { certificateFile: path.join(folder, 'own.crt'), keyFile: path.join(folder, 'own.key') };
  const open = () => openCertificateFiles({ ...files, clock, log: new RecordingLogger() });
  const isClear = (error: unknown) => error instanceof StartError && error.message.includes('own.crt') && !error.message.includes('BEGIN');
  await assert.rejects(open(), isClear);
  await writeFile(files.certificateFile, one.certificate);
  await writeFile(files.keyFile, two.privateKey);
  await assert.rejects(open(), isClear);
  await writeFile(files.keyFile, 'no key');
  await assert.rejects(open(), isClear);
});

test('a folder that cannot be written is a start error', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'missing');
  await assert.rejects(openKeptCertificate({ folder, clock: new FakeClock(), log: new RecordingLogger() }), StartError);
});
