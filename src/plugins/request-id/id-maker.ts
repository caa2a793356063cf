import { byteStringOf } from '../../lib/byte-string.ts';
import type { Clock } from '../../lib/clock.ts';
import type { RandomNumbers } from '../../lib/random-numbers.ts';
import { ksuid } from './ksuid.ts';
import { DEFAULT_CHAR_SET, DEFAULT_LENGTH, type RequestIdConfiguration } from './schema.ts';
import { randomUUID, timeOrderedUUID } from './uuid.ts';

const NANOID_CHARACTERS = '-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const NANOID_LENGTH = 21;

/** Makes ids as the configuration says; byte strings that can stand in a header. */
export function idMaker(configuration: RequestIdConfiguration, numbers: RandomNumbers, clock: Clock): () => string {
  switch (configuration.algorithm) {
    case 'uuid':
      return () => randomUUID(numbers);
    case 'uuidv7':
      return () => timeOrderedUUID(numbers, clock.nowMs());
    case 'ksuid':
      return () => ksuid(numbers, clock.nowMs());
    case 'nanoid':
      return () => drawCharacters([...NANOID_CHARACTERS], NANOID_LENGTH, numbers);
    case 'range_id': {
      const { char_set: set = DEFAULT_CHAR_SET, length = DEFAULT_LENGTH } = configuration.range_id ?? {};
      const characters = [...set].map(byteStringOf);
      return () => drawCharacters(characters, length, numbers);
    }
  }
}

function drawCharacters(characters: readonly string[], length: number, numbers: RandomNumbers): string {
  let text = '';
  for (let index = 0; index < length; index++) text += characters[numbers.below(characters.length)] ?? '';
  return text;
}
