import assert from 'node:assert/strict';
import test from 'node:test';
import { RandomNumbers } from '../../lib/random-numbers.ts';
import { ksuid } from './ksuid.ts';
import { randomUUID, timeOrderedUUID } from './uuid.ts';

function fixed(hex: string): RandomNumbers {
  return new RandomNumbers({ bytes: (length) => Buffer.alloc(length, Buffer.from(hex, 'hex')) });
}

test('a KSUID is that of its published examples', () => {
  // segmentio/ksuid, README: time 107608047, payload B5A1CD34B5F99D1154FB6853345C9735.
  const numbers = fixed('b5a1cd34b5f99d1154fb6853345c9735');
  assert.equal(ksuid(numbers, (1_400_000_000 + 107_608_047) * 1000), '0ujtsYcgvSTl8PAuAdqWYSMnLOv');
  assert.equal(ksuid(fixed('00'), 1_400_000_000_000), '0'.repeat(27));
  assert.equal(ksuid(fixed('ff'), (1_400_000_000 + 0xffff_ffff) * 1000), 'aWgEPTl1tmebfsQzFP4bxwgy80V');
});

test('a UUID of version 7 is that of its RFC, and sorts by time', () => {
  // RFC 9562 §A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F.
  assert.equal(timeOrderedUUID(fixed('017f22e279b0fcc398c4dc0c0c07398f'), 0x017f22e279b0), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  assert.ok(timeOrderedUUID(fixed('ff'), 1000) < timeOrderedUUID(fixed('00'), 1001));
});

test('a UUID of version 4 is that of its RFC', () => {
  // RFC 9562 §A.3: 919108F7-52D1-4320-9BAC-F847DB4148A8.
  assert.equal(randomUUID(fixed('919108f752d1f320dbacf847db4148a8')), '919108f7-52d1-4320-9bac-f847db4148a8');
});
