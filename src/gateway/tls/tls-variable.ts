import type { X509Certificate } from 'node:crypto';
import type { ClientTls } from '../../engine/index.ts';
import { clientPolicyOf } from './client-refusal.ts';

/** What is told of the certificate that a client has shown. */
type ReadCertificate = (certificate: X509Certificate, nowMs: number) => string;

const OF_CONNECTION: ReadonlyMap<string, (tls: ClientTls) => string | undefined> = new Map<string, (tls: ClientTls) => string | undefined>([
  ['ssl_protocol', ({ protocol }) => protocol],
  ['ssl_cipher', ({ cipher }) => cipher],
  ['ssl_server_name', ({ serverName }) => serverName],
  ['ssl_alpn_protocol', ({ alpn }) => alpn],
  ['ssl_session_reused', ({ resumed }) => (resumed ? 'r' : '.')],
  ['ssl_client_verify', (tls) => clientPolicyOf(tls)?.verdict(tls) ?? 'NONE'],
]);

const OF_CERTIFICATE: ReadonlyMap<string, ReadCertificate> = new Map<string, ReadCertificate>([
  ['ssl_client_s_dn', ({ subject }) => distinguishedName(subject)],
  ['ssl_client_i_dn', ({ issuer }) => distinguishedName(issuer)],
  ['ssl_client_serial', ({ serialNumber }) => serialNumber],
  ['ssl_client_fingerprint', ({ fingerprint }) => fingerprint.replaceAll(':', '').toLowerCase()],
  ['ssl_client_v_start', ({ validFrom }) => validFrom],
  ['ssl_client_v_end', ({ validTo }) => validTo],
  ['ssl_client_v_remain', ({ validToDate }, nowMs) => String(Math.max(0, Math.floor((validToDate.getTime() - nowMs) / 86_400_000)))],
  ['ssl_client_escaped_cert', (certificate) => encodeURIComponent(certificate.toString())],
]);

/** The names of nginx's variables of a TLS connection, without `$`. */
export const TLS_VARIABLE_NAMES: readonly string[] = [...OF_CONNECTION.keys(), ...OF_CERTIFICATE.keys()];

/** The value of one of these variables, a byte string; undefined where the connection has none. */
export function tlsVariable(tls: ClientTls, name: string, nowMs: number): string | undefined {
  const read = OF_CONNECTION.get(name);
  if (read !== undefined) return read(tls);
  const certificate = tls.certificate?.chain[0];
  const value = certificate && OF_CERTIFICATE.get(name)?.(certificate, nowMs);
  return value === undefined ? undefined : Buffer.from(value).toString('latin1');
}

/** RFC 2253: the most particular part first. Node gives a part a line, the most general first; of an empty name nothing, whatever its types say. */
function distinguishedName(name: string | undefined): string {
  return (name ?? '').split('\n').reverse().join(',');
}
