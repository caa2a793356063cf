export {
  type CertificatePair,
  createAuthority,
  createSelfSignedCertificate,
  type IssuedCertificate,
  issueInstanceCertificate,
  issueServerCertificate,
  type ServerCertificateRequest,
} from './certificate-authority.ts';
export type { InstanceName } from './instance-name.ts';
export { createSigningKey } from './signing.ts';
