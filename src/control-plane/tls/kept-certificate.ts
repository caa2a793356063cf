import { createPrivateKey, X509Certificate } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { type CertificatePair, createSelfSignedCertificate } from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import type { CertificateSource } from './certificate-source.ts';

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 365;
/** A certificate is replaced when less than this is left. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** What `openKeptCertificate` needs. */
export interface KeptCertificateOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The Admin API's self-signed certificate, kept as `admin-tls.crt` and `admin-tls.key` (0600) in the data folder. It is made
 * anew when there is none, when its files do not fit together, when it does not name this host, and from 30 days before its end,
 * also while running.
 *
 * @throws StartError when the folder cannot be written
 */
export async function openKeptCertificate(options: KeptCertificateOptions): Promise<CertificateSource> {
  const kept = new KeptCertificate(options);
  await kept.load();
  return kept;
}

class KeptCertificate implements CertificateSource {
  readonly #options: KeptCertificateOptions;
  #pair: CertificatePair | undefined;
  #cancel: CancelTask | undefined;

  constructor(options: KeptCertificateOptions) {
    this.#options = options;
  }

  get current(): CertificatePair {
    if (this.#pair === undefined) throw new Error('the certificate is read before it was loaded');
    return this.#pair;
  }

  async load(): Promise<void> {
    const { folder, clock } = this.#options;
    try {
      const pair = {
        certificate: await readFile(path.join(folder, 'admin-tls.crt'), 'utf8'),
        privateKey: await readFile(path.join(folder, 'admin-tls.key'), 'utf8'),
      };
      if (isUsable(pair, clock.nowMs())) this.#pair = pair;
    } catch (error) {
      this.#options.log.debug('no certificate of the Admin API is kept yet', { cause: error instanceof Error ? error.name : 'unknown' });
    }
    if (this.#pair === undefined) await this.#renew();
  }

  watch(onNewer: (pair: CertificatePair) => void): void {
    const check = (): void => {
      this.#cancel = this.#options.clock.schedule(DAY_MS, check);
      if (isUsable(this.current, this.#options.clock.nowMs())) return;
      this.#renew().then(
        () => onNewer(this.current),
        (error: unknown) => this.#options.log.error('the certificate of the Admin API could not be renewed', {}, error),
      );
    };
    this.#cancel = this.#options.clock.schedule(DAY_MS, check);
  }

  stop(): void {
    this.#cancel?.();
  }

  async #renew(): Promise<void> {
    const { folder, clock, log } = this.#options;
    const pair = await createSelfSignedCertificate({ names: ownNames(), lifetimeDays: LIFETIME_DAYS }, clock);
    try {
      await writePrivateFile(path.join(folder, 'admin-tls.key'), pair.privateKey);
      await writePrivateFile(path.join(folder, 'admin-tls.crt'), pair.certificate);
    } catch (cause) {
      throw new StartError('The certificate of the Admin API cannot be written into the data folder.', { cause });
    }
    this.#pair = pair;
    log.info('a self-signed certificate of the Admin API was made', { fingerprint: new X509Certificate(pair.certificate).fingerprint256 });
  }
}

function ownNames(): readonly string[] {
  const own = hostname();
  return [...new Set(['localhost', '127.0.0.1', '::1', ...(HOST_NAME.test(own) ? [own.toLowerCase()] : [])])];
}

function isUsable(pair: CertificatePair, nowMs: number): boolean {
  const certificate = new X509Certificate(pair.certificate);
  return (
    certificate.checkPrivateKey(createPrivateKey(pair.privateKey)) &&
    certificate.validFromDate.getTime() <= nowMs &&
    certificate.validToDate.getTime() - nowMs > RENEW_BEFORE_MS &&
    ownNames().every((name) => certificate.checkHost(name) !== undefined || certificate.checkIP(name) !== undefined)
  );
}

/** Replaces a file at once, so that a crash leaves the old or the new one. */
async function writePrivateFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    // The mode above counts for new files only; this one may be left from a crash.
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
