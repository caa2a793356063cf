import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestCertificate } from './test-certificate.ts';

/** A certificate that certifies itself, made by openssl, whose key is on a curve that neither NIST nor WebCrypto has a name for. */
export function oddCurveCertificate(commonName: string, curve: 'secp256k1' | 'brainpoolP256r1'): TestCertificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-curve-'));
  try {
    const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-nodes', '-days', '1'];
    const what = ['-subj', `/CN=${commonName}`, '-addext', 'basicConstraints=critical,CA:TRUE', '-keyout', files.key, '-out', files.cert];
    execFileSync('openssl', [...words, ...what], { stdio: 'pipe' });
    return { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
