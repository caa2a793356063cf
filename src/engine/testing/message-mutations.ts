import fc from 'fast-check';

/** What hostile messages are made of: line ends, separators, controls, framing fields, numbers, obfuscations. */
const DICTIONARY: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\n\r',
    '\r\r\n',
    '\0',
    '\t',
    ' ',
    '\x0b',
    '\x0c',
    '\x1f',
    '\x7f',
    '\x80',
    '\x85',
    '\xa0',
    '\xff',
  ],
  ...[':', ';', ',', '"', '#', '?', '*', '/', '\\', '@', '[', ']', '%', '%0d%0a', '=', '-', '+', '_', '0', '9', 'f', 'g'],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'content-length:+5\r\n', 'Content-Length: 5, 5\r\n', 'Content-Length:\r\n'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding : chunked\r\n',
    'transfer-encoding:\tchunked\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked, identity\r\n',
    'Transfer-Encoding: xchunked\r\n',
    'Transfer_Encoding: chunked\r\n',
    ' chunked',
    '\r\n chunked',
  ],
  ...['Host: b\r\n', 'Host:\r\n', 'Host: a, b\r\n', 'Host: u@a:1:2\r\n', 'Connection: close\r\n', 'Connection: Host, Content-Length\r\n'],
  ...[
    'Expect: 100-continue\r\n',
    'Expect: 200-ok\r\n',
    'Expect: x 100-continue\r\n',
    'Upgrade: h2c\r\n',
    'X: 1\r\n',
    ': 1\r\n',
    'X\r\n',
    ' X: 1\r\n',
  ],
  ...['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.10', 'http/1.1', 'http://a', 'https://b/', 'GET / HTTP/1.1\r\n', 'CONNECT '],
  ...['0\r\n\r\n', '0\r\n', '5\r\nhello\r\n', '00000000000000005', 'ffffffffffffffff', '-1', '0x5', '5;a\r\n', '5;\n', '5 ;a=b\r\n', '5\n'],
  ...['18446744073709551616', '9007199254740992', '4294967301', 'a'.repeat(60), 'X: 1\r\n'.repeat(12), 'a,'.repeat(33)],
];

const MUTATIONS = ['insert', 'replace', 'delete', 'double line', 'drop line', 'swap case', 'set byte', 'cut off', 'glue'] as const;

interface Mutation {
  readonly kind: (typeof MUTATIONS)[number];
  /** Where, as a fraction of the places there are. */
  readonly where: number;
  /** Whether the place is one where parsers decide something. */
  readonly pointed: boolean;
  readonly text: string;
  readonly byte: number;
  readonly length: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...MUTATIONS),
  where: fc.nat({ max: 9999 }).map((part) => part / 10_000),
  pointed: fc.constantFrom(true, true, false),
  text: fc.constantFrom(...DICTIONARY),
  byte: fc.nat({ max: 255 }),
  length: fc.integer({ min: 1, max: 3 }),
});

/** Messages that differ from those given in up to four places, most in one. */
export function mutated(messages: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const count = fc.constantFrom(1, 1, 1, 2, 3, 4);
  const mutations = count.chain((length) => fc.array(mutation, { minLength: length, maxLength: length }));
  return fc.tuple(messages, mutations).map(([text, list]) => list.reduce(mutate, text));
}

/** Bytes without any plan. */
export const randomBytes: fc.Arbitrary<string> = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

/** Dictionary words in a row: more often nearly a message than random bytes are. */
export const randomWords: fc.Arbitrary<string> = fc.array(fc.constantFrom(...DICTIONARY), { maxLength: 12 }).map((words) => words.join(''));

function mutate(text: string, change: Mutation): string {
  const at = placeIn(text, change);
  switch (change.kind) {
    case 'insert':
      return text.slice(0, at) + change.text + text.slice(at);
    case 'replace':
      return text.slice(0, at) + change.text + text.slice(at + change.length);
    case 'delete':
      return text.slice(0, at) + text.slice(at + change.length);
    case 'double line':
      return onLine(text, at, (line) => line + line);
    case 'drop line':
      return onLine(text, at, () => '');
    case 'swap case':
      return onLine(text, at, (line) => line.replace(/[A-Za-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) ^ 0x20)));
    case 'set byte':
      return text.slice(0, at) + String.fromCharCode(change.byte) + text.slice(at + 1);
    case 'cut off':
      return text.slice(0, at);
    case 'glue':
      return text + text.slice(at);
  }
}

function placeIn(text: string, { where, pointed }: Mutation): number {
  const points = pointed ? [...text.matchAll(/[\r\n :;,/]|(?<=[\r\n :;,/])/g)].map(({ index }) => index) : [];
  return points.length === 0 ? Math.floor(where * (text.length + 1)) : (points[Math.floor(where * points.length)] ?? 0);
}

function onLine(text: string, at: number, change: (line: string) => string): string {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  const stop = end === -1 ? text.length : end + 1;
  return text.slice(0, start) + change(text.slice(start, stop)) + text.slice(stop);
}
