import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { PARSE } from '../parser/parse-status.ts';
import { RequestParser } from '../parser/request-parser.ts';
import { requestForm, trailerLines } from './request-form.ts';

const START = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/x'] as const;
const CONNECT = [':method', 'CONNECT', ':scheme', 'https', ':authority', 'a.test', ':path', '/x', ':protocol', 'websocket'] as const;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

function formOf(fields: readonly string[], endsHere = true) {
  return requestForm(fields, endsHere, () => KEY);
}

function headOf(fields: readonly string[], endsHere = true): string {
  const form = formOf(fields, endsHere);
  return typeof form === 'string' ? form : form.head;
}

/** The usual start with one pseudo field replaced. */
function startWith(name: string, value: string): string[] {
  const fields: string[] = [...START];
  fields[fields.indexOf(name) + 1] = value;
  return fields;
}

test('a request is written as HTTP/1.1 with one Host, its fields in order and the cookies in one field', () => {
  assert.equal(
    headOf([...START, 'cookie', 'a=1', 'x-a', 'one', 'cookie', 'b=2', 'x-a', '', 'te', 'trailers']),
    'GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nx-a: one\r\nx-a: \r\ncookie: a=1; b=2\r\n\r\n',
  );
});

test('the framing follows from the end of the stream and from Content-Length', () => {
  const post = startWith(':method', 'POST');
  assert.match(headOf(post, true), /\r\nContent-Length: 0\r\n\r\n$/);
  assert.match(headOf(post, false), /\r\nTransfer-Encoding: chunked\r\n\r\n$/);
  assert.match(headOf([...post, 'content-length', '5'], false), /\r\ncontent-length: 5\r\n\r\n$/);
  assert.doesNotMatch(headOf([...START], true), /Content-Length|Transfer-Encoding/);
});

test('what RFC 9113 calls malformed, and what would say something else in HTTP/1.1, is refused', () => {
  const rows: readonly (readonly [readonly string[], string])[] = [
    [START.slice(2), 'bad_request_line'],
    [[':method', 'GET', ':scheme', 'https', ':authority', 'a'], 'bad_request_line'],
    [[':method', 'GET', ':authority', 'a', ':path', '/'], 'bad_request_line'],
    [[':method', 'GET', ':scheme', 'https', ':path', '/'], 'bad_host'],
    [[...START, ':path', '/y'], 'bad_request_line'],
    [[...START, ':unknown', 'y'], 'bad_request_line'],
    [[...START, ':status', '200'], 'bad_request_line'],
    [[...START, 'a', 'b', ':path', '/y'], 'bad_header'],
    [startWith(':method', 'GET /x HTTP/1.1\r\nX: '), 'bad_request_line'],
    [startWith(':method', ''), 'bad_request_line'],
    [startWith(':scheme', 'javascript'), 'bad_request_line'],
    [startWith(':path', ''), 'bad_request_line'],
    [startWith(':path', '*'), 'bad_request_line'],
    [startWith(':path', 'x'), 'bad_request_line'],
    [startWith(':path', 'http://b.test/'), 'bad_request_line'],
    [startWith(':path', '/ HTTP/1.1\r\nX: y'), 'bad_request_line'],
    [startWith(':path', '/a b'), 'bad_request_line'],
    [startWith(':path', '/a\tb'), 'bad_request_line'],
    [startWith(':path', '/a\0b'), 'bad_request_line'],
    [startWith(':authority', ''), 'bad_host'],
    [startWith(':authority', 'a\r\nX: y'), 'bad_host'],
    [startWith(':authority', 'a b'), 'bad_host'],
    [[...START, 'host', 'b.test'], 'bad_host'],
    [[...START, 'host', 'a.test', 'host', 'a.test'], 'bad_host'],
    [[...START, 'X-Upper', 'y'], 'bad_header'],
    [[...START, '', 'y'], 'bad_header'],
    [[...START, 'a b', 'y'], 'bad_header'],
    [[...START, 'a:', 'y'], 'bad_header'],
    [[...START, 'a\r\nb', 'y'], 'bad_header'],
    [[...START, 'a', 'x\r\nb: y'], 'bad_header'],
    [[...START, 'a', 'x\ny'], 'bad_header'],
    [[...START, 'a', 'x\ry'], 'bad_header'],
    [[...START, 'a', 'x\0y'], 'bad_header'],
    [[...START, 'a', ' x'], 'bad_header'],
    [[...START, 'a', 'x '], 'bad_header'],
    [[...START, 'a', 'x\t'], 'bad_header'],
    [[...START, 'a', '\u0100'], 'bad_header'],
    [[...START, 'connection', 'close'], 'bad_header'],
    [[...START, 'keep-alive', '5'], 'bad_header'],
    [[...START, 'proxy-connection', 'close'], 'bad_header'],
    [[...START, 'transfer-encoding', 'chunked'], 'bad_header'],
    [[...START, 'upgrade', 'h2c'], 'bad_header'],
    [[...START, 'http2-settings', 'AAA'], 'bad_header'],
    [[...START, 'te', 'gzip'], 'bad_header'],
    [[...START, 'te', 'trailers, chunked'], 'bad_header'],
    [[':method', 'CONNECT', ':authority', 'a.test:443'], 'method_not_implemented'],
    [[...START, ':protocol', 'websocket'], 'bad_request_line'],
    [CONNECT, 'bad_request_line'],
  ];
  for (const [fields, reason] of rows) assert.equal(formOf(fields), reason, JSON.stringify(fields));
  const other: string[] = [...CONNECT];
  other[9] = 'connect-udp';
  assert.equal(formOf(other, false), 'method_not_implemented');
  assert.equal(formOf([...CONNECT, 'content-length', '3'], false), 'bad_request_line');
});

test('OPTIONS may ask about the server, and a Host that says the same is the same', () => {
  const fields = startWith(':path', '*');
  fields[1] = 'OPTIONS';
  assert.equal(headOf([...fields, 'host', 'A.test']), 'OPTIONS * HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  assert.equal(
    headOf([':method', 'GET', ':scheme', 'http', ':path', '/', 'host', 'b']),
    'GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n',
  );
});

test('a WebSocket is asked for with a key of the gateway, and never with one of the client', () => {
  assert.equal(
    headOf([...CONNECT, 'sec-websocket-version', '13', 'sec-websocket-key', 'theirs'], false),
    `GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: close, upgrade\r\nsec-websocket-version: 13\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  );
  assert.match(headOf([...START, 'sec-websocket-key', 'theirs']), /sec-websocket-key: theirs/);
});

test('trailer fields are lines, and nothing that is no field', () => {
  assert.equal(trailerLines(['a', 'b', 'c', '']), 'a: b\r\nc: \r\n');
  for (const fields of [
    [':path', '/'],
    ['A', 'b'],
    ['a', 'b\r\n'],
    ['transfer-encoding', 'chunked'],
    ['a b', 'c'],
  ])
    assert.equal(trailerLines(fields), undefined);
});

test('whatever the fields are, the head is refused or says exactly the same to the parser', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'aZ0-:_ \t\r\n\0/?#%*.,;="\u00e9\u0100'), maxLength: 8 }),
    fc.constantFrom('GET', 'POST', '/', '/x?y', 'a.test', 'trailers', '5', 'http', 'host', 'cookie', 'te', 'content-length', 'x-a'),
  );
  const names = fc.oneof(text, fc.constantFrom(':method', ':path', ':scheme', ':authority', ':protocol'));
  const fields = fc.array(fc.tuple(names, text), { maxLength: 6 });
  const property = fc.property(fields, text, text, text, fc.boolean(), (more, method, path, authority, endsHere) => {
    const start = [':method', method, ':scheme', 'http', ':authority', authority, ':path', path];
    const form = formOf([...start, ...more.flat()], endsHere);
    if (typeof form === 'string') return;
    const bytes = Buffer.from(form.head, 'latin1');
    const parser = new RequestParser({ ...DEFAULT_ENGINE_LIMITS });
    if (parser.feed(bytes, 0, bytes.length) !== PARSE.done) return;
    assert.equal(parser.nextPosition, bytes.length);
    assert.equal(bytes.toString('latin1', parser.methodStart, parser.methodEnd), method);
    assert.equal(bytes.toString('latin1', parser.targetStart, parser.targetEnd), path);
    assert.equal(bytes.toString('latin1', parser.hostStart, parser.hostEnd), authority);
    assert.equal(parser.body, form.body === 'none' && parser.contentLength === 0 && parser.body === 'length' ? 'length' : form.body);
    const sent = more.filter(([name]) => !['host', 'cookie', 'te', 'content-length'].includes(name));
    for (const [name, value] of sent) {
      const index = parser.findHeader(Buffer.from(name, 'latin1'));
      assert.notEqual(index, -1, name);
      const values = [];
      for (let at = index; at !== -1; at = parser.findHeader(Buffer.from(name, 'latin1'), at + 1))
        values.push(bytes.toString('latin1', parser.fields.valueStart(at), parser.fields.valueEnd(at)));
      assert.ok(values.includes(value));
    }
  });
  fc.assert(property, { numRuns: 3000 });
});
