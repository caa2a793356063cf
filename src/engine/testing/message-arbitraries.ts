import fc from 'fast-check';

/** Messages for property tests: texts with one character for each byte, which shrink to short ones. */

const TOKEN_CHARACTERS = [..."ABCXYZabcxyz0189!#$%&'*+-.^_`|~"];
const VALUE_CHARACTERS = [...'abc XYZ09\t,;="\\/:@()<>[]{}?\x80\xff%'];
const TARGET_CHARACTERS = [...'abcXYZ019/.-_~%2Ff?&=;:@!$\'()*+,[]{}|\\^"<>\x80\xff'];

const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 8 });
const value = fc.string({ unit: fc.constantFrom(...VALUE_CHARACTERS), maxLength: 12 });
const space = fc.constantFrom('', ' ', ' ', ' ', '\t', ' \t ');
const host = fc.constantFrom('a', 'a.example', 'A.example:80', '127.0.0.1:8080', '[::1]', '[::1]:1', 'x_y:');

const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE') },
  { weight: 1, arbitrary: token.filter((name) => name.toLowerCase() !== 'connect') },
);

const path = fc.string({ unit: fc.constantFrom(...TARGET_CHARACTERS), maxLength: 12 }).map((text) => `/${text}`);

const plainField = fc
  .record({
    name: fc.oneof(token, fc.constantFrom('X-Consumer-Username', 'apikey', 'Cookie', 'TE', 'Upgrade', 'Keep-Alive', 'Trailer', 'Date')),
    before: space,
    value,
    after: space,
  })
  .filter(({ name }) => !/^(?:host|content-length|transfer-encoding|connection|expect)$/i.test(name))
  .map((field) => `${field.name}:${field.before}${field.value}${field.after}\r\n`);

const connectionField = fc
  .array(fc.constantFrom('close', 'keep-alive', 'Keep-Alive', 'x-a', 'apikey', 'Host', 'content-length', 'TE', 'upgrade'), { maxLength: 3 })
  .map((options) => `Connection: ${options.join(', ')}\r\n`);

const extension = fc.constantFrom('', '', '', ';', ';a', ';a=b', ' ;a="b c"', '\t; x=1;y', ';\x80');
const data = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '\r', '\n', '\0', ':', ' ', '\xff'), maxLength: 24 });
const chunk = fc.record({ data: data.filter((text) => text !== ''), extension, zeros: fc.constantFrom('', '', '0', '000') });

/** A chunked body with extensions and trailers. */
const chunkedBody = fc
  .record({
    chunks: fc.array(chunk, { maxLength: 4 }),
    last: fc.constantFrom('0', '0', '000'),
    extension,
    trailers: fc.array(plainField, { maxLength: 2 }),
  })
  .map(({ chunks, last, extension: end, trailers }) => {
    const pieces = chunks.map((piece) => `${piece.zeros}${piece.data.length.toString(16)}${piece.extension}\r\n${piece.data}\r\n`);
    return `${pieces.join('')}${last}${end}\r\n${trailers.join('')}\r\n`;
  });

interface Framed {
  readonly lines: readonly string[];
  readonly body: string;
}

const bodyOfLength = fc
  .record({ data, zeros: fc.constantFrom('', '', '00'), name: fc.constantFrom('Content-Length', 'content-length') })
  .map((body): Framed => ({ lines: [`${body.name}: ${body.zeros}${body.data.length}\r\n`], body: body.data }));

const bodyInChunks = fc
  .record({ body: chunkedBody, coding: fc.constantFrom('chunked', 'Chunked', 'CHUNKED\t') })
  .map(({ body, coding }): Framed => ({ lines: [`Transfer-Encoding: ${coding}\r\n`], body }));

const withoutBody = fc.constant<Framed>({ lines: [], body: '' });

/** Puts the lines in some order, the same for the same numbers. */
function shuffled(lines: readonly string[], order: readonly number[]): string {
  const keyed = lines.map((line, index) => ({ line, key: order[index] ?? 0 }));
  return keyed
    .sort((left, right) => left.key - right.key)
    .map(({ line }) => line)
    .join('');
}

const order = fc.array(fc.nat({ max: 99 }), { minLength: 8, maxLength: 8 });

/** Valid requests of HTTP/1.1 and 1.0, in all target forms and framings. */
export const validRequest: fc.Arbitrary<string> = fc
  .record({
    emptyLines: fc.constantFrom('', '', '', '\r\n', '\r\n\r\n'),
    method,
    form: fc.constantFrom('origin', 'origin', 'origin', 'absolute', 'asterisk'),
    path,
    host,
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0', '1.2'),
    framed: fc.oneof(withoutBody, bodyOfLength, bodyInChunks),
    fields: fc.array(plainField, { maxLength: 4 }),
    connection: fc.option(connectionField, { freq: 3, nil: '' }),
    expect: fc.constantFrom('', '', '', 'Expect: 100-continue\r\n'),
    order,
  })
  .map((parts) => {
    const asterisk = parts.form === 'asterisk';
    const target = asterisk ? '*' : parts.form === 'absolute' ? `http://${parts.host}${parts.path}` : parts.path;
    const chunked = parts.framed.lines.some((line) => line.startsWith('T'));
    const version = chunked && parts.version === '1.0' ? '1.1' : parts.version;
    const lines = [`Host: ${parts.host}\r\n`, ...parts.framed.lines, ...parts.fields, parts.connection, parts.expect];
    const line = `${asterisk ? 'OPTIONS' : parts.method} ${target} HTTP/${version}\r\n`;
    return `${parts.emptyLines}${line}${shuffled(lines, parts.order)}\r\n${parts.framed.body}`;
  });

/** Valid final responses; without other framing the body ends with the connection. */
export const validResponse: fc.Arbitrary<string> = fc
  .record({
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    status: fc.constantFrom('200 OK', '201 Created', '200 ', '404', '503 Service Unavailable', '204 No Content', '304 Not Modified'),
    framed: fc.oneof(
      data.map((body): Framed => ({ lines: [], body })),
      bodyOfLength,
      bodyInChunks,
    ),
    fields: fc.array(plainField, { maxLength: 4 }),
    connection: fc.option(connectionField, { freq: 3, nil: '' }),
    order,
  })
  .map((parts) => {
    const chunked = parts.framed.lines.some((line) => line.startsWith('T'));
    const version = chunked ? '1.1' : parts.version;
    const bodyless = /^(?:204|304)/.test(parts.status);
    const head = shuffled([...parts.framed.lines, ...parts.fields, parts.connection], parts.order);
    return `HTTP/${version} ${parts.status}\r\n${head}\r\n${bodyless ? '' : parts.framed.body}`;
  });
