import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { HandshakeLog } from './handshake-log.ts';

test('a flood of failed handshakes writes five lines a second for each reason, and then how many it left out', () => {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const handshakes = new HandshakeLog(log, clock);
  const fail = (times: number): void => {
    for (let time = 0; time < times; time++)
      handshakes.failed({ reason: 'tls_unknown_name', detail: undefined, serverName: 'x' }, '10.0.0.1');
  };
  fail(100);
  assert.equal(log.lines.length, 5);
  handshakes.failed({ reason: 'tls_certificate_unusable', detail: 'bad', serverName: 'x' }, '10.0.0.1');
  assert.equal(log.lines.at(-1)?.level, 'error');
  clock.advance(1000);
  fail(1);
  assert.equal(log.lines.at(-1)?.fields.unwritten, 95);
  clock.advance(1000);
  fail(1);
  assert.equal('unwritten' in (log.lines.at(-1)?.fields ?? {}), false);
  handshakes.upstreamFailed({ address: '10.0.0.2', port: 443, peerName: 'a', code: 'CERT_HAS_EXPIRED' });
  assert.deepEqual(log.lines.at(-1)?.fields, { code: 'CERT_HAS_EXPIRED', node: '10.0.0.2', port: 443, name: 'a' });
});
