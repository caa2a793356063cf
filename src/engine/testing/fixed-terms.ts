import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ServerTerms, TlsChooser } from '../tls/server-terms.ts';

/** The same terms for every client, whatever it asks for. */
export function fixedTerms(options: SecureContextOptions, more: Partial<ServerTerms> = {}): TlsChooser {
  const terms: ServerTerms = {
    secureContext: createSecureContext(options),
    requestsCertificate: false,
    protocols: ['http/1.1'],
    policy: undefined,
    ...more,
  };
  return { termsFor: () => terms };
}
