import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CertificatePair } from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import type { CertificateSource } from './certificate-source.ts';

const CHECK_EVERY_MS = 10_000;

/** What `openCertificateFiles` needs. */
export interface CertificateFilesOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * A certificate chain and key that the operator keeps as PEM files. They are read again every ten seconds; a pair that cannot be
 * read or does not fit together is logged, and the one in use stays.
 *
 * @throws StartError when the files are of no use at the start
 */
export async function openCertificateFiles(options: CertificateFilesOptions): Promise<CertificateSource> {
  let current: CertificatePair;
  try {
    current = await readPair(options);
  } catch (cause) {
    throw new StartError(
      `The certificate of the Admin API cannot be used: ${options.certificateFile} and ${options.keyFile} must be PEM files of a certificate and its key.`,
      { cause },
    );
  }
  return new CertificateFiles(options, current);
}

class CertificateFiles implements CertificateSource {
  readonly #options: CertificateFilesOptions;
  #current: CertificatePair;
  #cancel: CancelTask | undefined;
  #stopped = false;
  #refused = '';

  constructor(options: CertificateFilesOptions, current: CertificatePair) {
    this.#options = options;
    this.#current = current;
  }

  get current(): CertificatePair {
    return this.#current;
  }

  watch(onNewer: (pair: CertificatePair) => void): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.schedule(CHECK_EVERY_MS, () => {
      void this.#check(onNewer).finally(() => this.watch(onNewer));
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #check(onNewer: (pair: CertificatePair) => void): Promise<void> {
    const { log } = this.#options;
    try {
      const pair = await readPair(this.#options);
      this.#refused = '';
      if (pair.certificate === this.#current.certificate && pair.privateKey === this.#current.privateKey) return;
      this.#current = pair;
      if (!this.#stopped) onNewer(pair);
      log.info('the certificate of the Admin API was read anew');
    } catch (error) {
      // Once per cause: the files are looked at every ten seconds.
      const cause = String(error);
      if (cause !== this.#refused)
        log.warn('the certificate files of the Admin API are of no use; the certificate in use stays', { cause });
      this.#refused = cause;
    }
  }
}

async function readPair(options: CertificateFilesOptions): Promise<CertificatePair> {
  const pair = {
    certificate: await readFile(options.certificateFile, 'utf8'),
    privateKey: await readFile(options.keyFile, 'utf8'),
  };
  if (!new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.privateKey))) {
    throw new Error('the key does not belong to the certificate');
  }
  return pair;
}
