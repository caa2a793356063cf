import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { createSelfSignedCertificate } from '../../distribution/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { ADMIN_SERVER_LIMITS, AnswerMemory, startAdminServer } from '../http/index.ts';
import { REQUEST_RATES } from './request-rates.ts';

// A process of its own for a test: serves one public route on descriptor 3 until its standard input ends.
await startAdminServer({
  routes: [{ method: 'GET', path: '/healthz', permission: 'public', handle: async () => ({ body: 'by descriptor' }) }],
  listeners: [{ kind: 'descriptor', fd: 3, host: '127.0.0.1', port: 0 }],
  authenticator: { authenticate: async () => undefined, renew: async () => undefined },
  answers: new AnswerMemory(systemClock, systemClock),
  isAddressAllowed: () => true,
  isTrustedProxy: () => false,
  requestRates: REQUEST_RATES,
  certificate: await createSelfSignedCertificate({ names: ['localhost'] }, systemClock),
  limits: ADMIN_SERVER_LIMITS,
  random: systemRandom,
  softwareVersion: '1.2.3',
  clock: new FakeClock(),
  log: new RecordingLogger(),
});
process.stdout.write('ready');
process.stdin.on('end', () => process.exit(0)).resume();
