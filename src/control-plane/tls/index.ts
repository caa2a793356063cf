export { openCertificateFiles } from './certificate-files.ts';
export type { CertificateSource } from './certificate-source.ts';
export { openKeptCertificate } from './kept-certificate.ts';
