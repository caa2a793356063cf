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

const escapeOf = (code: number): string => `%${code.toString(16).padStart(2, '0')}`;
/** Bytes that some servers take off or out of a segment, and those at which some end it. */
const isBlank = (code: number): boolean => code <= 0x20 || code === 0x7f || code === 0x85 || code === 0xa0;
const endsSegment = (code: number): boolean => ';#?'.includes(String.fromCharCode(code));

test('no byte before, within or behind the dots of a segment makes them data to the gateway and dots to a server that trims or cuts', () => {
  for (const dots of ['.', '..', '%2e', '.%2E']) {
    for (const rest of ['', '/b', '//']) {
      for (let code = 0; code < 256; code++) {
        const escaped = escapeOf(code);
        const kindOf = (segment: string): string => normalisePath(`/a/b/${segment}${rest}`).kind;
        const at = `${escaped} at ${dots}, then ${JSON.stringify(rest)}`;
        assert.equal(kindOf(`${dots}${escaped}`), isBlank(code) || endsSegment(code) ? 'refused' : 'ok', `behind: ${at}`);
        assert.equal(kindOf(`${dots}${escaped}x`), code === 0 || endsSegment(code) ? 'refused' : 'ok', `with more behind: ${at}`);
        assert.equal(kindOf(`${escaped}${dots}`), isBlank(code) ? 'refused' : 'ok', `before: ${at}`);
        assert.equal(kindOf(`.${escaped}.`), isBlank(code) || endsSegment(code) ? 'refused' : 'ok', `within: ${at}`);
        assert.equal(kindOf(`x${escaped}${dots}`), code === 0 ? 'refused' : 'ok', `not dots alone: ${at}`);
        if (isBlank(code)) assert.equal(kindOf(`${dots}${escaped}${escaped};x`), 'refused', `several: ${at}`);
      }
    }
  }
});

test('white space of Unicode around dots is refused as that of ASCII is', () => {
  for (const code of [0x80, 0x85, 0xa0, 0x1680, 0x2000, 0x200b, 0x2028, 0x202f, 0x205f, 0x2060, 0x3000, 0xfeff]) {
    const blank = String.fromCharCode(code);
    const escaped = encodeURIComponent(blank);
    const raw = byteStringOf(blank);
    for (const segment of [`..${escaped}`, `${escaped}..`, `.${escaped}.`, `${escaped}.`, `..${raw}`, `${raw}..`]) {
      assert.equal(normalisePath(`/a/${segment}/b`).kind, 'refused', segment);
    }
    assert.equal(normalisePath(`/a/x${escaped}`).kind, 'ok');
  }
  assert.equal(normalisePath('/a/..%C3%A9').kind, 'ok');
});

test('dots and the slashes beside them are refused in more bytes than they need, and as characters compatible with them', () => {
  const dots = ['%c0%ae', '%e0%80%ae', '%f0%80%80%ae', '%ef%bc%8e', '%ef%b9%92', '%e2%80%a4'];
  const slashes = ['%c0%af', '%c1%9c', '%e0%80%af', '%e0%81%9c', '%f0%80%80%af', '%f0%80%81%9c', '%ef%bc%8f', '%ef%bc%bc'];
  for (const dot of dots) {
    for (const segment of [dot, `${dot}${dot}`, `.${dot}`, `${dot}.`, `%20${dot}.;x`, `${dot}.%23`]) {
      assert.equal(normalisePath(`/a/${segment}`).kind, 'refused', segment);
      assert.equal(normalisePath(`/a/${segment}/b`).kind, 'refused', segment);
    }
    for (const segment of [`x${dot}`, `${dot}x`, `..${dot}`]) assert.equal(normalisePath(`/a/${segment}/b`).kind, 'ok', segment);
  }
  for (const slash of slashes) {
    for (const segment of [`..${slash}b`, `x${slash}..`, `x${slash}..${slash}b`, `x${slash}%c0%ae.${slash}b`, `%20.${slash}`]) {
      assert.equal(normalisePath(`/a/${segment}`).kind, 'refused', segment);
    }
    for (const segment of [`x${slash}b`, `x..${slash}..b`]) assert.equal(normalisePath(`/a/${segment}`).kind, 'ok', segment);
  }
  assert.equal(normalisePath('/a/%e2%80%a5/b').kind, 'refused');
});

/** As servers resolve dots that trim and cut each segment first. */
function resolvedByTrimming(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    const characters = Array.from(segment).filter((character) => !isBlank(character.charCodeAt(0)));
    const [left = ''] = characters.join('').split(/[;#?]/);
    if (left === '..') segments.pop();
    else if (left !== '.') segments.push(left);
  }
  return `/${segments.join('/')}`;
}

test('a server that trims and cuts the segments of what it gets stays below the prefix by which the path was matched', () => {
  const pieces = [...PIECES, '%20', '%09', '%0a', '%7f', '%a0', '%3b', '%23', '%3f', ';x', '..', '.', '/'];
  const paths = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => `/open/${parts.join('')}`);
  fc.assert(
    fc.property(paths, (raw) => {
      const result = normalisePath(raw);
      if (result.kind === 'refused' || !result.path.startsWith('/open/')) return;
      assert.ok(resolvedByTrimming(result.path).startsWith('/open'), raw);
    }),
    { numRuns: 5000 },
  );
});

test('a long segment of blanks and dots is read in linear time', () => {
  assert.equal(normalisePath(`/a/${'%20'.repeat(20_000)}.${'%20'.repeat(20_000)}x`).kind, 'ok');
  assert.equal(normalisePath(`/a/${'%C2%A0'.repeat(20_000)}..${'%C2%A0'.repeat(20_000)}`).kind, 'refused');
  assert.equal(normalisePath(`/a/${'%C0%AF'.repeat(20_000)}..${'%20'.repeat(20_000)}x`).kind, 'ok');
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
