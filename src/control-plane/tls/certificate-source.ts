import type { CertificatePair } from '../../distribution/index.ts';

/** Where a server's certificate comes from, and how it learns of a newer one. */
export interface CertificateSource {
  readonly current: CertificatePair;
  /** Calls back with every newer pair until `stop`. */
  watch(onNewer: (pair: CertificatePair) => void): void;
  stop(): void;
}
