import type { X509Certificate } from 'node:crypto';
import { authorityPin } from './authority-pin.ts';
import { type InstanceName, readInstanceName } from './instance-name.ts';

/** An instance that has shown a certificate of an authority that is trusted, and proven in the handshake that it has the key. */
export interface VerifiedInstance {
  readonly name: InstanceName;
  /** Of the authority that signed the certificate. */
  readonly authorityPin: string;
  /** From when to when it holds, wall clock. Verifying looks at neither. */
  readonly startsAtMs: number;
  readonly expiresAtMs: number;
}

/** For clients (RFC 5280 §4.2.1.12). */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

/**
 * Whether a certificate is one of a gateway instance and signed by one of the authorities. When it begins and ends is not looked at: an expired one may
 * still be renewed.
 *
 * @throws Error in words that may be shown
 */
export function verifyInstanceCertificate(certificate: X509Certificate, authorities: readonly X509Certificate[]): VerifiedInstance {
  const authority = authorities.find((candidate) => certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey));
  if (authority === undefined) throw new Error('the certificate was not issued by an authority that is trusted');
  if (certificate.ca || certificate.keyUsage?.includes(CLIENT_AUTHENTICATION) !== true) {
    throw new Error('the certificate is not one of a client');
  }
  return {
    name: readInstanceName(certificate),
    authorityPin: authorityPin(authority),
    startsAtMs: certificate.validFromDate.getTime(),
    expiresAtMs: certificate.validToDate.getTime(),
  };
}
