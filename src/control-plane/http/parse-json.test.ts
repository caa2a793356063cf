import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PortcullisError } from '../../errors/index.ts';
import { parseJson } from './parse-json.ts';

const parse = (text: string) => parseJson(Buffer.from(text));

function refusal(body: string | Uint8Array): string {
  try {
    parseJson(typeof body === 'string' ? Buffer.from(body) : body);
  } catch (error) {
    assert(error instanceof PortcullisError);
    assert.equal(error.reason, 'admin_bad_json');
    return error.publicMessage;
  }
  return assert.fail('the text was accepted');
}

test('every JSON value that has a faithful form in memory is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, '\t'), (text, space) => {
      fc.pre(!text.includes('__proto__'));
      const expected = JSON.parse(text);
      assert.equal(JSON.stringify(parse(JSON.stringify(expected, null, space))), JSON.stringify(expected));
    }),
  );
});

test('what JSON.parse refuses is refused', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.string({ maxLength: 3 }), (text, at, noise) => {
      const broken = text.slice(0, at % (text.length + 1)) + noise + text.slice((at % (text.length + 1)) + 1);
      try {
        JSON.parse(broken);
      } catch {
        refusal(broken);
      }
    }),
    { numRuns: 500 },
  );
});

test('a syntax error names the place and never repeats the text', () => {
  assert.equal(refusal('{"key": "s3cret" oops}'), 'invalid request body: "}" is expected at position 17 (line 1, column 18)');
  assert.equal(refusal('{"a": 1,\n"b": s3cret}'), 'invalid request body: a value is expected at position 14 (line 2, column 6)');
  assert.equal(refusal('{"a": 1'), 'invalid request body: "}" is expected at position 7 (line 1, column 8)');
  for (const body of ['[1,]', '{"a":1,}', "{'a':1}", '01', '1.', '.5', '+1', 'nul', '"\\x"', '"a', '{} {}', '[1 2]', '"\n"', 'NaN', '-']) {
    assert.match(refusal(body), /^invalid request body: .* at position \d+/);
  }
});

test('an empty body is said to be empty', () => {
  assert.equal(refusal(''), 'invalid request body: the body is empty');
  assert.equal(refusal(' \r\n'), 'invalid request body: the body is empty');
});

test('nesting of a hundred thousand levels is refused and not followed', () => {
  assert.match(refusal('['.repeat(100_000) + ']'.repeat(100_000)), /nesting is deeper than 100 levels at position 100 /);
  assert.match(refusal('{"a":'.repeat(100_000)), /nesting is deeper than 100 levels/);
  assert.ok(parse('['.repeat(100) + ']'.repeat(100)));
});

test('what would be stored as something else is refused', () => {
  assert.match(refusal('{"a":1,"a":2}'), /repeated in the same object at position 7/);
  assert.match(refusal('{"a":1,"\\u0061":2}'), /repeated/);
  assert.match(refusal('1e999'), /number is out of range/);
  assert.match(refusal('-1e999'), /number is out of range/);
  assert.match(refusal('9007199254740993'), /more digits than can be kept/);
  assert.match(refusal('9'.repeat(1_000_000)), /number is too long/);
  assert.match(refusal('"\\ud800"'), /half a surrogate pair/);
  assert.match(refusal(Buffer.from([0x22, 0xc3, 0x28, 0x22])), /not valid UTF-8/);
  assert.match(refusal(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), /not valid UTF-8/);
});

test('the name __proto__ is refused at any depth, and no other name reaches a prototype', () => {
  assert.match(refusal('{"a":{"__proto__":{"admin":true}}}'), /__proto__ is not allowed at position 6/);
  assert.match(refusal('{"\\u005f_proto__":1}'), /__proto__ is not allowed/);
  const value = parse('{"constructor":1,"b":{}}');
  assert.equal(Object.getPrototypeOf(value), null);
  assert.equal(({} as { constructor: unknown }).constructor, Object);
});
