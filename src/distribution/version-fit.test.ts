import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonVersionsDoNotFit } from './version-fit.ts';

function reason(softwareVersion: string, protocol = 1, oldestProtocol = 1): string | undefined {
  return reasonVersionsDoNotFit({ kind: 'hello', protocol, oldestProtocol, softwareVersion, revision: 0 }, '1.2.3');
}

test('a gateway of a newer minor or major version is told to wait for the control planes; patches and older ones are served', () => {
  const sentence = (version: string) =>
    `this gateway (${version}) is newer than this control plane (1.2.3): upgrade the control planes first`;
  for (const version of ['1.3.0', '1.10.0', '2.0.0-rc.1']) assert.equal(reason(version), sentence(version));
  for (const version of ['1.2.3', '1.2.9', '1.1.9', '0.9.0', '0', 'main', '']) assert.equal(reason(version), undefined);
});

test('where no protocol is shared it is said which side to upgrade; a newer protocol that goes back far enough is served', () => {
  assert.match(reason('1.2.3', 9, 9) ?? '', /upgrade the control planes first$/);
  assert.match(reason('0.1.0', 0, 0) ?? '', /is too old .*: upgrade the gateway$/);
  assert.equal(reason('1.2.3', 2, 1), undefined);
});

test('what a gateway says of itself cannot break a line or fill a log', () => {
  assert.equal(reason(`9.0.0\n${'x'.repeat(100_000)}`)?.includes('\n'), false);
  assert.ok((reason(`9.0.0${'x'.repeat(100_000)}`) ?? '').length < 200);
});
