/** An algorithm as clients name it. */
export type HmacAlgorithm = 'hmac-sha1' | 'hmac-sha256' | 'hmac-sha512';

/** The hash of each algorithm, as node:crypto names it. */
export const HMAC_ALGORITHMS: ReadonlyMap<HmacAlgorithm, 'sha1' | 'sha256' | 'sha512'> = new Map([
  ['hmac-sha1', 'sha1'],
  ['hmac-sha256', 'sha256'],
  ['hmac-sha512', 'sha512'],
]);
