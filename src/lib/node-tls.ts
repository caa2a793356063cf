import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

let isMended = false;

/**
 * `node:tls`, loaded when somebody needs it: every thread would pay 6 MB for it. To be called by whoever makes TLS connections, also by `node:https`.
 *
 * Node 26 ends the whole process with a segmentation fault when it describes a certificate whose key is on a curve that NIST has no name for (secp256k1,
 * brainpool), and it describes all that a believed server has sent. So from the first call on its description is made here, of the server's own
 * certificate alone, with what `checkServerIdentity` looks at and what tells one certificate from another.
 */
export function nodeTls(): typeof import('node:tls') {
  const tls = process.getBuiltinModule('node:tls');
  if (!isMended) {
    isMended = true;
    Object.defineProperty(tls.TLSSocket.prototype, 'getPeerCertificate', { value: describePeer, configurable: true, writable: true });
  }
  return tls;
}

function describePeer(this: TLSSocket): object {
  const certificate = this.getPeerX509Certificate();
  return certificate === undefined ? {} : describe(certificate);
}

function describe(certificate: X509Certificate): object {
  return {
    subject: partsOf(certificate.subject),
    issuer: partsOf(certificate.issuer),
    subjectaltname: certificate.subjectAltName,
    ca: certificate.ca,
    valid_from: certificate.validFrom,
    valid_to: certificate.validTo,
    fingerprint: certificate.fingerprint,
    fingerprint256: certificate.fingerprint256,
    fingerprint512: certificate.fingerprint512,
    serialNumber: certificate.serialNumber,
    raw: certificate.raw,
  };
}

/** A name's parts, a line each, by their short names; a list where one stands several times. Of an empty name there is nothing, whatever the types say. */
function partsOf(name: string | undefined): object {
  const parts: Record<string, string | string[]> = Object.create(null);
  for (const line of (name ?? '').split('\n')) {
    const equals = line.indexOf('=');
    if (equals <= 0) continue;
    const key = line.slice(0, equals);
    const value = line.slice(equals + 1);
    const known = parts[key];
    parts[key] = known === undefined ? value : [known, value].flat();
  }
  return parts;
}
