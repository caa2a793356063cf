import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteStringOf } from '../../lib/byte-string.ts';
import { isPlainPath, normalisePath } from './normalise-path.ts';

interface Spelling {
  readonly sent: string;
  readonly matched: string;
  readonly asSeparator: string;
  readonly forwarded: string;
}

function spellings(): readonly Spelling[] {
  const text = readFileSync(new URL('../../../docs/reference/path-spellings.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const [, sent = '', matched = '', asSeparator = '', forwarded = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    return { sent, matched, asSeparator, forwarded };
  });
}

test('every spelling in the documentation is read as it says there', () => {
  const all = spellings();
  assert.ok(all.length >= 40);
  for (const { sent, matched, asSeparator, forwarded } of all) {
    const result = normalisePath(byteStringOf(sent));
    if (matched === 'refused') {
      assert.deepEqual(result, { kind: 'refused', reason: 'bad_path' }, sent);
      continue;
    }
    assert.deepEqual(
      result,
      {
        kind: 'ok',
        path: byteStringOf(matched),
        separatorPath: asSeparator === '' ? undefined : byteStringOf(asSeparator),
        forward: sent === forwarded ? 'client-bytes' : 'normalised',
        forwardPath: byteStringOf(forwarded),
      },
      sent,
    );
  }
});

test('an absolute-form target without a path means the root', () => {
  assert.deepEqual(normalisePath(''), { kind: 'ok', path: '/', separatorPath: undefined, forward: 'normalised', forwardPath: '/' });
});

test('every control character and every escape of NUL is refused, other bytes are data', () => {
  for (let code = 0; code < 256; code++) {
    const refused = code <= 0x20 || code === 0x7f || code === 0x23 || code === 0x3f || code === 0x25;
    assert.equal(normalisePath(`/a${String.fromCharCode(code)}b`).kind, refused ? 'refused' : 'ok', `byte ${code}`);
    const escaped = normalisePath(`/a%${code.toString(16).padStart(2, '0')}b`);
    assert.equal(escaped.kind, code === 0 ? 'refused' : 'ok', `escape ${code}`);
  }
});

test('a long path of dots and slashes is read in linear time', () => {
  const long = `/${'a/../'.repeat(20_000)}${'%2e/'.repeat(20_000)}x`;
  const result = normalisePath(long);
  assert.equal(result.kind === 'ok' && result.path, '/x');
  assert.equal(normalisePath(`/${'../'.repeat(50_000)}`).kind, 'refused');
});

const PIECES = [
  '/',
  '//',
  '\\',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2F',
  '%2f',
  '%5C',
  '%5c',
  'a',
  'b',
  '%61',
  '%20',
  '%25',
  '%C3%A9',
  '\xe9',
  ';',
  '%3F',
  '%',
  '%00',
  '+',
  '~',
];
const anyPath = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`);

test('what is forwarded is normal already and means the same path', () => {
  fc.assert(
    fc.property(anyPath, (raw) => {
      const once = normalisePath(raw);
      if (once.kind === 'refused') return;
      const again = normalisePath(once.forwardPath);
      assert.ok(again.kind === 'ok');
      assert.equal(again.path, once.path);
      assert.equal(again.separatorPath, once.separatorPath);
      assert.equal(again.forward, 'client-bytes');
    }),
    { numRuns: 3000 },
  );
});

/** The same rules told in another way: by the WHATWG URL parser, which resolves dots and backslashes, after merging slashes. */
function resolvedByUrl(raw: string): string {
  const merged = raw.replaceAll('\\', '/').replace(/\/+/g, '/');
  return new URL(`http://host${merged}`).pathname;
}

test('dot segments are resolved as URL parsers resolve them', () => {
  const paths = fc.array(fc.constantFrom('/', '/.', '/..', '/a', '/b', '/%2e', '/%2E%2e', '/.%2e', '//', '\\', '/...', '/c.d'), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(paths, (pieces) => {
      const raw = `/x${pieces.join('')}`;
      const result = normalisePath(raw);
      if (result.kind === 'ok') assert.equal(result.path, resolvedByUrl(raw));
    }),
    { numRuns: 2000 },
  );
});

test('neither reading of an accepted path holds a dot segment, a doubled slash or a way above the root', () => {
  fc.assert(
    fc.property(anyPath, (raw) => {
      const result = normalisePath(raw);
      if (result.kind === 'refused') return;
      for (const path of [result.path, result.separatorPath ?? '/']) {
        assert.ok(path.startsWith('/'));
        assert.ok(!path.includes('//'));
        for (const segment of path.split('/')) assert.ok(segment !== '.' && segment !== '..', raw);
      }
    }),
    { numRuns: 3000 },
  );
});

test('the quick test for plain paths never passes what normalising would change', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyPath,
        fc.string({ unit: 'binary-ascii' }).map((text) => `/${text}`),
        fc.string(),
      ),
      (raw) => {
        if (!isPlainPath(raw)) return;
        for (const segment of raw.split('/')) assert.ok(segment !== '.' && segment !== '..');
        assert.ok(!/[%\\#?]|\/\//.test(raw) && raw.startsWith('/'));
      },
    ),
    { numRuns: 3000 },
  );
  for (const plain of ['/', '/a', '/a/b/', '/a.b/c~d;e,f@g:h!$&()*+=']) assert.ok(isPlainPath(plain), plain);
  for (const other of ['/..', '/.', '//', '/a/..', '/%61', '/a\\', '', '*', 'a', '/\xe9', '/a?', '/a#'])
    assert.ok(!isPlainPath(other), other);
});
