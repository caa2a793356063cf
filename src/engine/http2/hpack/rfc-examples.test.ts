import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, type Field, newDecoder, readBlock, tableOf, writeBlock } from '../../testing/hpack-reading.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { HPACK } from './hpack-outcome.ts';

interface Step {
  readonly block: string;
  readonly fields: readonly Field[];
  readonly table: readonly Field[];
}

const AUTHORITY: Field = [':authority', 'www.example.com'];
const NO_CACHE: Field = ['cache-control', 'no-cache'];
const CUSTOM: Field = ['custom-key', 'custom-value'];
const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
];
const GET_INDEX: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
];
const REQUESTS: readonly Omit<Step, 'block'>[] = [
  { fields: [...GET, AUTHORITY], table: [AUTHORITY] },
  { fields: [...GET, AUTHORITY, NO_CACHE], table: [NO_CACHE, AUTHORITY] },
  { fields: [...GET_INDEX, AUTHORITY, CUSTOM], table: [CUSTOM, NO_CACHE, AUTHORITY] },
];

const PRIVATE: Field = ['cache-control', 'private'];
const FIRST_DATE: Field = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
const SECOND_DATE: Field = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const LOCATION: Field = ['location', 'https://www.example.com'];
const GZIP: Field = ['content-encoding', 'gzip'];
const COOKIE: Field = ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'];
/** With a table of 256 bytes, which these sections assume. */
const RESPONSES: readonly Omit<Step, 'block'>[] = [
  { fields: [[':status', '302'], PRIVATE, FIRST_DATE, LOCATION], table: [LOCATION, FIRST_DATE, PRIVATE, [':status', '302']] },
  { fields: [[':status', '307'], PRIVATE, FIRST_DATE, LOCATION], table: [[':status', '307'], LOCATION, FIRST_DATE, PRIVATE] },
  { fields: [[':status', '200'], PRIVATE, SECOND_DATE, LOCATION, GZIP, COOKIE], table: [COOKIE, GZIP, SECOND_DATE] },
];
const TABLE_OF_256 = '3fe101';

const REQUEST_BLOCKS = [
  '828684418cf1e3c2e5f23a6ba0ab90f4ff',
  '828684be5886a8eb10649cbf',
  '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
];
const RESPONSE_BLOCKS = [
  '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
  '4883640effc1c0bf',
  '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
];

function assertReads(blocks: readonly string[], steps: readonly Omit<Step, 'block'>[], prefix = ''): void {
  const decoder = newDecoder();
  blocks.forEach((block, index) => {
    const step = steps[index];
    const read = readBlock(decoder, bytesOf(index === 0 ? prefix + block : block));
    assert.deepEqual(read, { outcome: HPACK.done, fields: step?.fields });
    assert.deepEqual(tableOf(decoder), step?.table);
  });
}

test('the single fields of RFC 7541 C.2 are read as they are there', () => {
  const steps: readonly Step[] = [
    {
      block: '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      fields: [['custom-key', 'custom-header']],
      table: [['custom-key', 'custom-header']],
    },
    { block: '040c 2f73 616d 706c 652f 7061 7468', fields: [[':path', '/sample/path']], table: [] },
    { block: '1008 7061 7373 776f 7264 0673 6563 7265 74', fields: [['password', 'secret']], table: [] },
    { block: '82', fields: [[':method', 'GET']], table: [] },
  ];
  for (const { block, fields, table } of steps) assertReads([block], [{ fields, table }]);
});

test('the requests of RFC 7541 C.3, without Huffman code, are read as they are there', () => {
  assertReads(
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    REQUESTS,
  );
});

test('the requests of RFC 7541 C.4, in Huffman code, are read as they are there, and written so', () => {
  assertReads(REQUEST_BLOCKS, REQUESTS);
  const encoder = new HpackEncoder(4096);
  assert.deepEqual(
    REQUESTS.map(({ fields }) => writeBlock(encoder, fields).toString('hex')),
    REQUEST_BLOCKS,
  );
});

test('the answers of RFC 7541 C.5, without Huffman code, are read as they are there, and drive out what no longer fits', () => {
  assertReads(
    [
      '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '4803 3330 37c1 c0bf',
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
    ],
    RESPONSES,
    TABLE_OF_256,
  );
});

test('the answers of RFC 7541 C.6, in Huffman code, are read as they are there, and written so but for the cookie', () => {
  assertReads(RESPONSE_BLOCKS, RESPONSES, TABLE_OF_256);
  const encoder = new HpackEncoder(4096);
  // Index 55 with the kind "never indexed" instead of "with indexing": a cookie that is set is a secret.
  const expected = RESPONSE_BLOCKS.map((block) => block.replace('77ad94e7', '1f28ad94e7'));
  assert.deepEqual(
    RESPONSES.map(({ fields }) => writeBlock(encoder, fields).toString('hex')),
    expected,
  );
});
