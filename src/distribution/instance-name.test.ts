import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatInstanceUri, readInstanceName } from './instance-name.ts';

describe('the name of an instance in its certificate', () => {
  test('every name comes back as it was written', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(name, name, (groupId, instanceId) => {
        const uri = formatInstanceUri({ groupId, instanceId });
        assert.deepEqual(readInstanceName({ subjectAltName: `URI:${uri}` }), { groupId, instanceId });
      }),
    );
  });

  test('any other spelling, a second name and a missing one are refused', () => {
    const wrong = [
      undefined,
      '',
      'DNS:localhost',
      'URI:portcullis://group/a/instance/',
      'URI:portcullis://group//instance/b',
      'URI:portcullis://group/a/instance/b/c',
      'URI:portcullis://group/a/instance/b?x=1',
      'URI:portcullis://group/a/instance/%62',
      'URI:portcullis://group/a/instance/%c3%a4',
      'URI:portcullis://group/a/instance/%ff',
      'URI:portcullis://group/a/instance/%',
      'URI:PORTCULLIS://group/a/instance/b',
      ' URI:portcullis://group/a/instance/b',
      'URI:portcullis://group/a/instance/b\n',
      'URI:portcullis://group/a/instance/b, URI:portcullis://group/c/instance/d',
      'DNS:localhost, URI:portcullis://group/a/instance/b',
    ];
    for (const subjectAltName of wrong) assert.throws(() => readInstanceName({ subjectAltName }), Error, subjectAltName);
  });
});
