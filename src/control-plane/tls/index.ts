export { type CertificateFilesOptions, openCertificateFiles } from './certificate-files.ts';
export type { CertificateSource } from './certificate-source.ts';
export { type KeptCertificateOptions, openKeptCertificate } from './kept-certificate.ts';
