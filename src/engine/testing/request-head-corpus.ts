import type { ErrorReason } from '../../errors/index.ts';

/** A head that must be refused, whatever follows. */
export interface HostileHead {
  readonly name: string;
  readonly bytes: Buffer;
  readonly reason: ErrorReason;
}

/** A head that must be read, and what must be read in it. */
export interface ValidHead {
  readonly name: string;
  readonly bytes: Buffer;
  readonly expected: Readonly<Record<string, unknown>>;
}

function hostile(name: string, reason: ErrorReason, text: string): HostileHead {
  return { name, reason, bytes: Buffer.from(text, 'latin1') };
}

function fields(name: string, reason: ErrorReason, ...lines: readonly string[]): HostileHead {
  return hostile(name, reason, `POST /x HTTP/1.1\r\nHost: a.example\r\n${lines.join('\r\n')}\r\n\r\n`);
}

function line(name: string, reason: ErrorReason, requestLine: string): HostileHead {
  return hostile(name, reason, `${requestLine}\r\nHost: a.example\r\n\r\n`);
}

function host(name: string, ...lines: readonly string[]): HostileHead {
  return hostile(name, 'bad_host', `GET / HTTP/1.1\r\n${lines.map((text) => `${text}\r\n`).join('')}\r\n`);
}

const CONTROLS = [...Array(32).keys(), 127].filter((byte) => byte !== 9 && byte !== 10 && byte !== 13);

export const hostileHeads: readonly HostileHead[] = [
  // Two framings, or one that nobody can be sure of (RFC 9112 §6).
  fields('Content-Length with Transfer-Encoding', 'bad_transfer_encoding', 'Content-Length: 4', 'Transfer-Encoding: chunked'),
  fields('Transfer-Encoding with Content-Length', 'bad_transfer_encoding', 'Transfer-Encoding: chunked', 'Content-Length: 4'),
  fields('two Content-Length that differ', 'bad_content_length', 'Content-Length: 4', 'Content-Length: 5'),
  fields('two Content-Length that agree', 'bad_content_length', 'Content-Length: 4', 'content-length: 4'),
  fields('a list of Content-Length', 'bad_content_length', 'Content-Length: 4, 4'),
  fields('a signed Content-Length', 'bad_content_length', 'Content-Length: +5'),
  fields('a negative Content-Length', 'bad_content_length', 'Content-Length: -5'),
  fields('a hexadecimal Content-Length', 'bad_content_length', 'Content-Length: 0x5'),
  fields('an empty Content-Length', 'bad_content_length', 'Content-Length:'),
  fields('a Content-Length with a space inside', 'bad_content_length', 'Content-Length: 1 0'),
  fields('a fractional Content-Length', 'bad_content_length', 'Content-Length: 1.0'),
  fields('a Content-Length of 2^64', 'bad_content_length', 'Content-Length: 18446744073709551616'),
  fields('a Content-Length of 2^53', 'bad_content_length', 'Content-Length: 9007199254740992'),
  fields('a Content-Length with an invisible byte', 'bad_content_length', 'Content-Length: 4\xa0'),
  fields('xchunked', 'bad_transfer_encoding', 'Transfer-Encoding: xchunked'),
  fields('chunked named twice in a list', 'bad_transfer_encoding', 'Transfer-Encoding: chunked, chunked'),
  fields('chunked in two fields', 'bad_transfer_encoding', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  fields('identity', 'bad_transfer_encoding', 'Transfer-Encoding: identity'),
  fields('gzip before chunked', 'bad_transfer_encoding', 'Transfer-Encoding: gzip, chunked'),
  fields('chunked before gzip', 'bad_transfer_encoding', 'Transfer-Encoding: chunked, gzip'),
  fields('an empty Transfer-Encoding', 'bad_transfer_encoding', 'Transfer-Encoding:'),
  fields('quoted chunked', 'bad_transfer_encoding', 'Transfer-Encoding: "chunked"'),
  fields('chunked with a parameter', 'bad_transfer_encoding', 'Transfer-Encoding: chunked;x=1'),
  hostile('Transfer-Encoding in HTTP/1.0', 'bad_transfer_encoding', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'),
  // Fields that one reader sees and another does not (RFC 9112 §5).
  fields('a space before the colon', 'bad_header', 'Transfer-Encoding : chunked'),
  fields('a tab before the colon', 'bad_header', 'Content-Length\t: 4'),
  fields('a folded line', 'bad_header', 'X-A: 1', ' chunked'),
  fields('a line folded with a tab', 'bad_header', 'X-A: 1', '\tchunked'),
  hostile('white space before the first field', 'bad_header', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'),
  fields('a field without a colon', 'bad_header', 'Transfer-Encoding'),
  fields('an empty field name', 'bad_header', ': chunked'),
  fields('a space in a field name', 'bad_header', 'Transfer Encoding: chunked'),
  fields('a byte above ASCII in a field name', 'bad_header', 'Transfer-Encoding\x85: chunked'),
  fields('a quote in a field name', 'bad_header', 'X"A: 1'),
  fields('a bare LF behind a value', 'bad_header', 'X-A: 1\nTransfer-Encoding: chunked'),
  fields('a bare CR in a value', 'bad_header', 'X-A: 1\rTransfer-Encoding: chunked'),
  hostile('a bare LF behind the request line', 'bad_request_line', 'GET / HTTP/1.1\nHost: a\r\n\r\n'),
  hostile('a bare CR behind the request line', 'bad_request_line', 'GET / HTTP/1.1\rHost: a\r\n\r\n'),
  hostile('a bare LF as the end of the head', 'bad_header', 'GET / HTTP/1.1\r\nHost: a\r\n\n'),
  hostile('a bare CR as the end of the head', 'bad_header', 'GET / HTTP/1.1\r\nHost: a\r\n\rX'),
  hostile('LF alone throughout', 'bad_request_line', 'GET / HTTP/1.1\nHost: a\n\n'),
  ...CONTROLS.map((byte) => fields(`control ${byte} in a value`, 'bad_header', `X-A: 1${String.fromCharCode(byte)}2`)),
  fields('NUL in a field name', 'bad_header', 'X\0A: 1'),
  fields('a Connection field with endless options', 'bad_header', `Connection: ${'a,'.repeat(40)}b`),
  fields('endless options over many Connection fields', 'bad_header', ...Array.from({ length: 40 }, () => 'Connection: x')),
  // Hosts (RFC 9112 §3.2).
  host('no Host'),
  host('two Host fields', 'Host: a', 'Host: a'),
  host('two Host fields that differ in case', 'Host: a', 'HOST: b'),
  host('an empty Host', 'Host:'),
  host('a list of hosts', 'Host: a, b'),
  host('a Host with a path', 'Host: a/b'),
  host('a Host with user information', 'Host: u@a'),
  host('a Host with a space', 'Host: a b'),
  host('a Host with a percent sign', 'Host: a%2eb'),
  host('a Host with a backslash', 'Host: a\\b'),
  host('a Host with a byte above ASCII', 'Host: \xe9.example'),
  host('a port that is no number', 'Host: a:http'),
  host('a port of six digits', 'Host: a:808080'),
  host('a port above the highest', 'Host: a:65536'),
  host('two ports', 'Host: a:80:81'),
  host('an IPv6 literal that does not end', 'Host: [::1'),
  host('an empty IPv6 literal', 'Host: []'),
  host('an IPv6 literal with something behind', 'Host: [::1]x'),
  host('an IPv6 literal with a zone', 'Host: [fe80::1%25eth0]'),
  hostile('two Host fields in HTTP/1.0', 'bad_host', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'),
  hostile('a Host other than the authority', 'bad_host', 'GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n'),
  hostile('a Host with another port than the authority', 'bad_host', 'GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n'),
  hostile('an absolute-form target without Host in HTTP/1.1', 'bad_host', 'GET http://a/ HTTP/1.1\r\nX: a\r\n\r\n'),
  // Request lines (RFC 9112 §3).
  line('no target', 'bad_request_line', 'GET HTTP/1.1'),
  line('two spaces before the target', 'bad_request_line', 'GET  / HTTP/1.1'),
  line('two spaces behind the target', 'bad_request_line', 'GET /  HTTP/1.1'),
  line('a space in the target', 'bad_request_line', 'GET /a b HTTP/1.1'),
  line('a tab as separator', 'bad_request_line', 'GET\t/ HTTP/1.1'),
  line('a tab in the target', 'bad_request_line', 'GET /a\tb HTTP/1.1'),
  line('NUL in the target', 'bad_request_line', 'GET /a\0b HTTP/1.1'),
  line('DEL in the target', 'bad_request_line', 'GET /a\x7fb HTTP/1.1'),
  line('a fragment', 'bad_request_line', 'GET /a#b HTTP/1.1'),
  line('a space before the method', 'bad_request_line', ' GET / HTTP/1.1'),
  line('a method that is no token', 'bad_request_line', 'G(T / HTTP/1.1'),
  line('an empty method', 'bad_request_line', ' / HTTP/1.1'),
  line('a trailing space', 'bad_request_line', 'GET / HTTP/1.1 '),
  line('no version', 'bad_request_line', 'GET /'),
  line('a version in lower case', 'bad_request_line', 'GET / http/1.1'),
  line('a version of two digits', 'bad_request_line', 'GET / HTTP/1.10'),
  line('a version without a minor', 'bad_request_line', 'GET / HTTP/1'),
  line('another protocol', 'bad_request_line', 'GET / HTTQ/1.1'),
  line('a target without a slash', 'bad_request_line', 'GET a HTTP/1.1'),
  line('an unknown scheme', 'bad_request_line', 'GET ftp://a.example/ HTTP/1.1'),
  line('an authority as target', 'bad_request_line', 'GET a.example:80 HTTP/1.1'),
  line('an absolute-form target without host', 'bad_request_line', 'GET http:///x HTTP/1.1'),
  line('an absolute-form target with user information', 'bad_request_line', 'GET http://u:p@a.example/ HTTP/1.1'),
  line('an absolute-form target with a query only', 'bad_request_line', 'GET http://a.example?x HTTP/1.1'),
  line('* with another method than OPTIONS', 'bad_request_line', 'GET * HTTP/1.1'),
  line('** with OPTIONS', 'bad_request_line', 'OPTIONS ** HTTP/1.1'),
  line('HTTP/2', 'version_not_supported', 'GET / HTTP/2.0'),
  line('HTTP/0.9 with a version', 'version_not_supported', 'GET / HTTP/0.9'),
  line('HTTP/3 without a minor', 'version_not_supported', 'GET / HTTP/3'),
  hostile('the preface of HTTP/2', 'version_not_supported', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  line('CONNECT', 'method_not_implemented', 'CONNECT a.example:443 HTTP/1.1'),
  line('CONNECT in lower case', 'method_not_implemented', 'connect a.example:443 HTTP/1.1'),
  line('an endless method', 'method_not_implemented', `${'A'.repeat(40)} / HTTP/1.1`),
  hostile('three empty lines before the request', 'bad_request_line', '\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  hostile('a bare LF before the request', 'bad_request_line', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  hostile('a bare CR before the request', 'bad_request_line', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  hostile('a TLS hello', 'bad_request_line', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  // Sizes.
  line('a target one byte too long', 'uri_too_long', `GET /${'a'.repeat(8192)} HTTP/1.1`),
  line('a target far too long', 'uri_too_long', `GET /${'a'.repeat(60_000)} HTTP/1.1`),
  fields('a value far too long', 'head_too_large', `X-A: ${'a'.repeat(40_000)}`),
  fields('a name far too long', 'head_too_large', `${'a'.repeat(40_000)}: 1`),
  fields('too many fields', 'head_too_large', ...Array.from({ length: 200 }, (_, index) => `X-${index}: 1`)),
  // Expectations (RFC 9110 §10.1.1).
  fields('an unknown expectation', 'expectation_failed', 'Expect: 200-ok'),
  fields('two expectations', 'expectation_failed', 'Expect: 100-continue, other'),
  fields('an empty expectation', 'expectation_failed', 'Expect:'),
];

function valid(name: string, text: string, expected: Readonly<Record<string, unknown>>): ValidHead {
  const bytes = Buffer.from(text, 'latin1');
  return { name, bytes, expected };
}

const LONGEST_HEAD = `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(32 * 1024 - 34)}\r\n\r\n`;

export const validHeads: readonly ValidHead[] = [
  valid('a plain GET', 'GET /a/b?x=1?y=2 HTTP/1.1\r\nHost: a.example:8080\r\nAccept: */*\r\n\r\n', {
    method: 'GET',
    target: '/a/b?x=1?y=2',
    query: '?x=1?y=2',
    host: 'a.example:8080',
    minorVersion: 1,
    body: 'none',
    wantsKeepAlive: true,
    fields: [
      ['Host', 'a.example:8080', 0],
      ['Accept', '*/*', 0],
    ],
  }),
  valid('bytes behind the head', 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next', { consumed: 27, target: '/' }),
  valid('white space around a value, and inside', 'GET / HTTP/1.1\r\nHost:\t a \t\r\nX-A:1\r\nX-B:  \r\nX-C: a \t b\r\n\r\n', {
    host: 'a',
    fields: [
      ['Host', 'a', 0],
      ['X-A', '1', 0],
      ['X-B', '', 0],
      ['X-C', 'a \t b', 0],
    ],
  }),
  valid('bytes above ASCII in a value and in the target', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\nX-A: \x80\xff\r\n\r\n', { target: '/\xe9' }),
  valid('a body with a length', 'PUT / HTTP/1.1\r\nHost: a\r\ncontent-length: 007\r\n\r\n', { body: 'length', contentLength: 7 }),
  valid('an empty body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', { body: 'length', contentLength: 0 }),
  valid('a chunked body', 'POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:Chunked\r\n\r\n', { body: 'chunked' }),
  valid('a client that waits for 100', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n', {
    expectsContinue: true,
  }),
  valid('an expectation without a body', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n', { expectsContinue: false }),
  valid('an expectation in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n', {
    expectsContinue: false,
  }),
  valid('HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', { minorVersion: 0, host: '', wantsKeepAlive: false, fields: [] }),
  valid('HTTP/1.0 with keep-alive', 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n', { wantsKeepAlive: true }),
  valid('a higher minor version', 'GET / HTTP/1.7\r\nHost: a\r\n\r\n', { minorVersion: 1 }),
  valid('close', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n', { wantsKeepAlive: false }),
  valid('close among other options', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: x , close,,\r\nX: 1\r\n\r\n', {
    wantsKeepAlive: false,
    fields: [
      ['Host', 'a', 0],
      ['Connection', 'x , close,,', 0],
      ['X', '1', 1],
    ],
  }),
  valid('an absolute-form target', 'GET HTTP://A.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n', {
    target: '/x?y',
    host: 'a.example',
    query: '?y',
  }),
  valid('an absolute-form target without a path', 'GET http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n', { target: '/', query: '' }),
  valid('an absolute-form target in HTTP/1.0', 'GET https://a.example:1/x HTTP/1.0\r\n\r\n', { target: '/x', host: 'a.example:1' }),
  valid('OPTIONS of an authority', 'OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n', { target: '', query: '' }),
  valid('OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', { target: '*' }),
  valid('an IPv6 host', 'GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n', { host: '[2001:db8::1]:80' }),
  valid('a host with the highest port', 'GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n', { host: 'a:65535' }),
  valid('a host with an empty port', 'GET / HTTP/1.1\r\nHost: a_b.example:\r\n\r\n', { host: 'a_b.example:' }),
  valid('an unknown method', 'PURGE / HTTP/1.1\r\nHost: a\r\n\r\n', { method: 'PURGE' }),
  valid('two empty lines before the request', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', { method: 'GET', target: '/' }),
  valid('the longest target', `GET /${'a'.repeat(8191)} HTTP/1.1\r\nHost: a\r\n\r\n`, {}),
  valid('the longest head', LONGEST_HEAD, { consumed: 32 * 1024 }),
  valid('the most fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(199)}\r\n`, {}),
];
