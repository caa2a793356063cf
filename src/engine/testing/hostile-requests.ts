// Longer than most files: a table, read best on one page.

/** One thing that an attacker sends on one connection, and all that may come of it. */
export interface HostileRequest {
  readonly name: string;
  /** Sent in full, with `SMUGGLED` behind it. */
  readonly text: string;
  /** The statuses of all answers on the connection, which ends then. */
  readonly statuses: readonly number[];
  /** What the upstream receives, byte for byte. Where the offence is in a body that is still to come, it may get less. */
  readonly forwarded: string;
}

/** Follows every hostile request. Served as a request of its own only where the table says so. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n';

/** Requests for paths that begin so are answered with 401 before their body is looked at. */
export const UNAUTHORISED_PATH = '/refused';

/** Longer than what is read of a body behind an early answer. */
const BEYOND_DISCARD = 70 * 1024;

function refused(name: string, text: string, status = 400): HostileRequest {
  return { name, text, statuses: [status], forwarded: '' };
}

/** A POST with these lines and this body is refused. */
function post(name: string, lines: readonly string[], body: string, status = 400): HostileRequest {
  return refused(name, `POST / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`, status);
}

/** A chunked POST with this body is refused. */
function chunks(name: string, body: string): HostileRequest {
  return post(name, ['Transfer-Encoding: chunked'], body);
}

/** The request is served, and so is what follows it. */
function served(name: string, text: string, forwarded: string): HostileRequest {
  return { name, text, statuses: [200, 200], forwarded: forwarded + SMUGGLED };
}

/** A request that is answered with 401, and what becomes of the connection. */
function unauthorised(name: string, head: string, body: string, goesOn: boolean): HostileRequest {
  const text = `${head.replace(' /', ` ${UNAUTHORISED_PATH}`)}${body}`;
  return goesOn ? { name, text, statuses: [401, 200], forwarded: SMUGGLED } : { name, text, statuses: [401], forwarded: '' };
}

const INNER = 'GET /inner HTTP/1.1\r\nHost: i\r\n\r\n';
const CHUNKED_INNER = `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`;
const CHUNKED_POST = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

const twoFramings: readonly HostileRequest[] = [
  post('CL.TE', ['Content-Length: 6', 'Transfer-Encoding: chunked'], '0\r\n\r\nG'),
  post('TE.CL', ['Transfer-Encoding: chunked', 'Content-Length: 4'], `5c\r\n${INNER}\r\n0\r\n\r\n`),
  post('CL.CL', ['Content-Length: 0', `Content-Length: ${INNER.length}`], INNER),
  post('CL.CL, equal', [`Content-Length: ${INNER.length}`, `Content-Length: ${INNER.length}`], INNER),
  post('CL list', [`Content-Length: ${INNER.length}, ${INNER.length}`], INNER),
  post('0.CL by a space before the colon', [`Content-Length : ${INNER.length}`], INNER),
  post('0.CL by a tab before the colon', [`Content-Length\t: ${INNER.length}`], INNER),
  post('0.CL by a vertical tab', [`Content-Length:\x0b${INNER.length}`], INNER),
  post('0.CL by a plus sign', [`Content-Length: +${INNER.length}`], INNER),
  post('0.CL by hexadecimal', ['Content-Length: 0x1f'], INNER),
  post('0.CL by an exponent', ['Content-Length: 3e1'], INNER),
  post('0.CL by an underscore in the number', ['Content-Length: 3_1'], INNER),
  post('0.CL by overflow of 64 bits', ['Content-Length: 18446744073709551647'], INNER),
  post('0.CL by overflow of 32 bits, which is no overflow but a huge body', ['Content-Length: 99999999999999999999'], INNER),
  post('0.CL by NUL', [`Content-Length\0: ${INNER.length}`], INNER),
  post('0.CL by folding', ['Content-Length:', ` ${INNER.length}`], INNER),
  post('0.CL by a bare CR in front', [`X: 1\rContent-Length: ${INNER.length}`], INNER),
  post('0.CL by a bare LF in front', [`X: 1\nContent-Length: ${INNER.length}`], INNER),
  refused('TE in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
];

const teTe: readonly HostileRequest[] = [
  ...['xchunked', 'chunked, identity', 'identity, chunked', 'identity', 'gzip, chunked', 'chunked, chunked', 'chunked;q=1', '"chunked"'],
  ...[
    "'chunked'",
    'chunk',
    'chunked,',
    ',chunked',
    '\x0bchunked',
    '\x0cchunked',
    '\x00chunked',
    'chunked\x00',
    '\xa0chunked',
    '\xefchunked',
    '',
  ],
].map((value) => post(`TE.TE ${JSON.stringify(value)}`, [`Transfer-Encoding: ${value}`], '0\r\n\r\n'));

const teTeLines: readonly HostileRequest[] = [
  post('TE twice', ['Transfer-Encoding: chunked', 'Transfer-encoding: cow'], '0\r\n\r\n'),
  post('TE twice, first a stranger', ['Transfer-Encoding: cow', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  post('TE behind a space', [' Transfer-Encoding: chunked'], '0\r\n\r\n'),
  post('TE folded', ['Transfer-Encoding:', ' chunked'], '0\r\n\r\n'),
  post('TE name folded', ['Transfer-Encoding', ' : chunked'], '0\r\n\r\n'),
  post('TE behind a bare LF', ['X: x\nTransfer-Encoding: chunked'], '0\r\n\r\n'),
  post('TE behind a bare CR', ['X: x\rTransfer-Encoding: chunked'], '0\r\n\r\n'),
  post('TE with a quoted line break', ['X: "\r\nTransfer-Encoding: chunked"'], '0\r\n\r\n'),
  post('TE with a space before the colon', ['Transfer-Encoding : chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  post('TE without a colon', ['Transfer-Encoding chunked'], '0\r\n\r\n'),
  post('TE with NUL in its name', ['Transfer\0-Encoding: chunked'], '0\r\n\r\n'),
  post('TE with a byte above ASCII in its name', ['Transfer-Encoding\xa0: chunked'], '0\r\n\r\n'),
];

const chunkGames: readonly HostileRequest[] = [
  chunks('TERM.EXT: a bare LF in a chunk extension', `2;\nxx\r\n4c\r\n0\r\n\r\n${INNER}`),
  chunks('TERM.EXT: a bare LF behind a named extension', `2;a=b\nxx\r\n0\r\n\r\n${INNER}0\r\n\r\n`),
  chunks('EXT.TERM: a bare LF behind a chunk size', `2\nxx\r\n0\r\n\r\n${INNER}`),
  chunks('a bare CR in a chunk extension', `2;\rxx\r\n0\r\n\r\n${INNER}`),
  chunks('a bare CR behind a chunk size', `2\rxx\r\n0\r\n\r\n${INNER}`),
  chunks('CR CR LF behind a chunk size', '2\r\r\nxx\r\n0\r\n\r\n'),
  chunks('a NUL in a chunk extension', '2;\0\r\nxx\r\n0\r\n\r\n'),
  chunks('SPILL: more data than the size says', `2\r\nxxyy\r\n0\r\n\r\n${INNER}`),
  chunks('SPILL: two bytes that are no line break behind the data', '2\r\nxxYY0\r\n\r\n'),
  chunks('ONE.TWO: a bare LF behind the data', '2\r\nxx\n0\r\n\r\n'),
  chunks('ONE.TWO: a bare CR behind the data', '2\r\nxx\r0\r\n\r\n'),
  chunks('a bare LF as the end of the trailers', '0\r\n\n'),
  chunks('a bare LF behind the last chunk', `0\n\r\n${INNER}`),
  chunks('no size', '\r\nxx\r\n0\r\n\r\n'),
  chunks('an extension without a size', ';a=b\r\n0\r\n\r\n'),
  chunks('a negative size', '-1\r\nx\r\n0\r\n\r\n'),
  chunks('a size with 0x', '0x2\r\nxx\r\n0\r\n\r\n'),
  chunks('a size with a plus', '+2\r\nxx\r\n0\r\n\r\n'),
  chunks('a size with an underscore', '1_0\r\nxx\r\n0\r\n\r\n'),
  chunks('a size behind a space', ' 2\r\nxx\r\n0\r\n\r\n'),
  chunks('a size before a space', '2 \r\nxx\r\n0\r\n\r\n'),
  chunks('a size of 2^64', '10000000000000002\r\nxx\r\n0\r\n\r\n'),
  chunks('a size with endless zeros', `${'0'.repeat(40)}2\r\nxx\r\n0\r\n\r\n`),
  chunks('extensions without bound', `2;${'a'.repeat(5000)}\r\nxx\r\n0\r\n\r\n`),
  chunks('extensions without bound, a little in each chunk', `${'1;aaaaaaaa\r\nx\r\n'.repeat(600)}0\r\n\r\n`),
  chunks('trailers without bound', `0\r\n${'X: aaaaaaaaaaaaaaaa\r\n'.repeat(600)}\r\n`),
  chunks('a trailer folded', '0\r\nX: 1\r\n 2\r\n\r\n'),
  ...[
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Host: b',
    'Connection: close',
    'Authorization: x',
    'Cookie: a=b',
    'Trailer: X',
  ].map((line) => chunks(`the trailer ${line}`, `0\r\n${line}\r\n\r\n`)),
];

const expectGames: readonly HostileRequest[] = [
  post('an obfuscated expectation', ['Expect: y 100-continue', `Content-Length: ${INNER.length}`], INNER, 417),
  post('an expectation in a list', ['Expect: 100-continue, 100-continue', `Content-Length: ${INNER.length}`], INNER, 417),
  post('an expectation with a parameter', ['Expect: 100-continue;a=b', `Content-Length: ${INNER.length}`], INNER, 417),
  post('an expectation folded', ['Expect:', ' 100-continue', `Content-Length: ${INNER.length}`], INNER),
  served(
    'an expectation with its body is not sent on',
    `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ),
  served(
    'an expectation without a body is not sent on',
    'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ),
  unauthorised(
    'a refused expectation: the body that comes nevertheless is no request',
    `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n`,
    INNER,
    false,
  ),
  unauthorised(
    'a refused expectation: a body that does not come is not waited for',
    `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n`,
    '',
    false,
  ),
];

const unreadBodies: readonly HostileRequest[] = [
  unauthorised('401 with an unread body', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n`, INNER, true),
  unauthorised('401 with an unread chunked body', CHUNKED_POST, CHUNKED_INNER, true),
  unauthorised(
    '401 with a body beyond what is read',
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${BEYOND_DISCARD}\r\n\r\n`,
    INNER.repeat(BEYOND_DISCARD).slice(0, BEYOND_DISCARD),
    false,
  ),
  unauthorised('401 with a chunked body beyond what is read', CHUNKED_POST, `${CHUNKED_INNER.slice(0, -5).repeat(2200)}0\r\n\r\n`, false),
  unauthorised('401 with a malformed unread body', CHUNKED_POST, `2;\nxx\r\n0\r\n\r\n${INNER}`, false),
  unauthorised('401 to a GET with a body', `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n`, INNER, true),
];

const startLines: readonly HostileRequest[] = [
  refused('HTTP/0.9', 'GET /\r\n'),
  refused('HTTP/0.9 with a space', 'GET / \r\n'),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
  refused('HTTP/2.0 with a Host', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505),
  refused('HTTP/1.1 with a digit too many', 'GET / HTTP/1.11\r\nHost: a\r\n\r\n'),
  refused('a bare LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n'),
  refused('bare LFs throughout', 'GET / HTTP/1.1\nHost: a\n\n'),
  refused('three empty lines in front', '\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a request line twice', 'GET / HTTP/1.1\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a target with a space', `GET /a HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n`),
  refused('a target with a fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a target with NUL', 'GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('CONNECT', `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${INNER}`, 501),
  refused('CONNECT with a body', `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello`, 501),
  refused('a method without end', `${'A'.repeat(5000)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 501),
  refused('a target without end', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414),
  refused('a value without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431),
  refused('a hundred thousand fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(100_000)}\r\n`, 431),
  served('HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  served('two empty lines in front', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  served('OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'),
  served('TRACE is a method like any other', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'),
];

const hosts: readonly HostileRequest[] = [
  refused('another host in the target', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('user information in the target', 'GET http://a@b/ HTTP/1.1\r\nHost: a@b\r\n\r\n'),
  refused('user information in the target, Host without it', 'GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n'),
  refused('an absolute-form target without Host', 'GET http://a/ HTTP/1.1\r\n\r\n'),
  refused('another scheme', 'GET gopher://a/ HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('an authority with a backslash', 'GET http://a\\@b/ HTTP/1.1\r\nHost: a\r\n\r\n'),
  ...['', 'a, b', 'a,b', 'u@a', 'a:80:81', 'a b', 'a/b', 'a?b', 'a#b', 'a\\b', '[::1', '::1', 'a:x', 'a:-1', 'a\0b', 'a%00', '\xe9'].map(
    (value) => refused(`Host ${JSON.stringify(value)}`, `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`),
  ),
  refused('no Host', 'GET / HTTP/1.1\r\n\r\n'),
  refused('two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'),
  refused('two equal hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n'),
  refused('a folded Host', 'GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n'),
  refused('a second Host behind a space', 'GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n'),
  served('an absolute-form target', 'GET http://A:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n', 'GET /x HTTP/1.1\r\nHost: a:80\r\n\r\n'),
];

const fieldGames: readonly HostileRequest[] = [
  served(
    'CL.0: a body that is a request',
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ),
  served(
    'CL.0 with GET',
    `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
    `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ),
  served(
    'a length with zeros in front is written anew',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0000000000000000000005\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  ),
  served(
    'chunked in capitals and white space is written anew, without extensions',
    'POST / HTTP/1.1\r\nHost: a\r\ntRANSFER-eNCODING:\t CHUNKED \t\r\n\r\n005 ;a="b";c\r\nhello\r\n0;x\r\nX: 1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n',
  ),
  served(
    'Connection that names framing and Host removes neither',
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: Host, Content-Length, Transfer-Encoding, x\r\nX: 1\r\nContent-Length: 5\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  ),
  served(
    'h2c is not offered',
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ),
  served(
    'h2c by prior agreement of nobody',
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  ),
  served(
    'TE and Trailer stay between neighbours',
    'GET / HTTP/1.1\r\nHost: a\r\nTE: trailers, chunked\r\nTrailer: X\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 300\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ),
  refused('Connection with endless options', `GET / HTTP/1.1\r\nHost: a\r\nConnection: ${'a,'.repeat(5000)}\r\n\r\n`),
  {
    name: 'nothing is served behind Connection: close',
    text: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    statuses: [200],
    forwarded: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'nothing is served behind HTTP/1.0',
    text: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
    statuses: [200],
    forwarded: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'a refused request behind a good one',
    text: `GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    statuses: [200, 400],
    forwarded: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
];

/** Every known class of request smuggling and host confusion, as raw bytes. */
export const hostileRequests: readonly HostileRequest[] = [
  ...twoFramings,
  ...teTe,
  ...teTeLines,
  ...chunkGames,
  ...expectGames,
  ...unreadBodies,
  ...startLines,
  ...hosts,
  ...fieldGames,
];
