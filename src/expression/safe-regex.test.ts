// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references with braces are tested here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteStringOf } from '../lib/byte-string.ts';
import { compileReplacement } from './replacement.ts';
import { compileRegex, type RegexOptions, type SafeRegex } from './safe-regex.ts';

function regex(pattern: string, options?: RegexOptions): SafeRegex {
  const compiled = compileRegex(pattern, options);
  assert(compiled.kind === 'regex', `${pattern}: ${JSON.stringify(compiled)}`);
  return compiled;
}

function messageOf(pattern: string): string {
  const compiled = compileRegex(pattern);
  assert(compiled.kind === 'invalid', pattern);
  return compiled.message;
}

test('patterns that make a backtracking engine slow are matched by RE2', () => {
  const slow = [
    '^(a+)+$',
    '(a|a)*b',
    '(.*)*x',
    '([a-z]+)*$',
    'a*a*a*a*a*b',
    '^a*a*b',
    '^(a|aa)+$',
    '^(a?){30}a{30}$',
    '^a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaa$',
    '(a|b|ab)*c',
    'a+b',
    '.*foo',
    '\\s+$',
    '^\\s+|\\s+$',
    'foo.*bar',
    '^.*a.*b$',
    '^(.*),(.*)$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '^([a-zA-Z0-9])(([-.]|[_]+)?([a-zA-Z0-9]+))*(@)$',
    '(x+x+)+y',
    '^\\d+(\\.\\d+)*$',
    '(a+)+',
    '(?:a{0,9}){0,9}b',
    '[a-z]*?=',
  ];
  for (const pattern of slow) assert.equal(regex(pattern).engine, 're2', pattern);
});

test('plain patterns are matched by the native engine', () => {
  const plain = [
    '',
    'admin',
    '^/api/v1/',
    '\\.php$',
    '^/api/(.*)$',
    '^/api/(.*)/(.*)',
    '^/users/([^/]+)/posts/([0-9]+)$',
    '^/old/(.+)\\.html$',
    '^(GET|POST|PUT)$',
    'curl|wget|python-requests|bot',
    '^foo.*bar',
    '^/users/([^/]+)/posts$',
    'curl|wget',
    '\\d+',
    '^\\d{1,3}\\.\\d{1,3}$',
    '/users/[0-9]+/posts',
    '"[^"]*"',
    '^[a-z0-9-]+\\.example\\.com$',
    '^/v([0-9])?/x',
    '\\bfoo\\b',
    '^Mozilla/[45]\\.0.*Chrome/(\\d+)',
    '(foo)?bar|x{3}',
  ];
  for (const pattern of plain) assert.equal(regex(pattern).engine, 'native', pattern);
});

test('what JavaScript would capture differently is matched by RE2', () => {
  assert.deepEqual(regex('(?:(a)|b){2}').exec('ab')?.captures, ['ab', 'a']);
  assert.deepEqual(regex('(?:(a)|b)*').exec('ab')?.captures, ['ab', 'a']);
  assert.deepEqual(regex('(a?)?').exec('b')?.captures, ['', '']);
});

test('a slow pattern answers all the same', () => {
  const many = 'a'.repeat(20_000);
  assert.equal(regex('^(a+)+$').test(many), true);
  assert.equal(regex('^(a+)+$').test(`${many}!`), false);
  assert.equal(regex('(x+x+)+y').test('x'.repeat(2000)), false);
  assert.equal(regex('a*a*a*a*a*b').exec(`${many}b`)?.captures[0]?.length, 20_001);
});

test('a match has its place, its captures and its named captures', () => {
  const dated = regex('(?<year>\\d{4})-(?P<month>\\d\\d)(-\\d\\d)?');
  const match = dated.exec('on 2024-05.');
  assert.equal(match?.index, 3);
  assert.deepEqual(match?.captures, ['2024-05', '2024', '05', undefined]);
  assert.equal(match?.groups?.year, '2024');
  assert.equal(match?.groups?.month, '05');
  assert.equal(Object.getPrototypeOf(match?.groups), null);
  assert.equal(dated.exec('nothing'), undefined);
  assert.equal(dated.captureCount, 3);
  assert.equal(regex('a').exec('a')?.groups, undefined);
  assert.deepEqual(Object.entries(regex("(?'__proto__'a)").exec('a')?.groups ?? {}), [['__proto__', 'a']]);
});

test('the syntax of PCRE means what it means in nginx', () => {
  const cases: ReadonlyArray<readonly [pattern: string, text: string, matched: string | undefined]> = [
    ['a.c', 'a\rc', 'a\rc'],
    ['a.c', 'a\nc', undefined],
    ['(?s)a.c', 'a\nc', 'a\nc'],
    ['(?s:a.)(?-s:.)c', 'a\n\nc', undefined],
    ['(?i)aB', 'Ab', 'Ab'],
    ['a(?i)b', 'aB', 'aB'],
    ['a(?i)b', 'AB', undefined],
    ['(a(?i)b)c', 'aBC', undefined],
    ['a(?i)b|c', 'C', 'C'],
    ['(?i:a)b', 'Ab', 'Ab'],
    ['(?i)[^a]', 'A', undefined],
    ['(?i)k', '\u212a', undefined],
    ['(?m)^b$', 'a\nb\nc', 'b'],
    ['^b$', 'a\nb\nc', undefined],
    ['c$', 'c\n', undefined],
    ['\\Ab\\z', 'b', 'b'],
    ['\\h+', 'a \t\nb', ' \t'],
    ['\\H', ' x', 'x'],
    ['\\v', 'a\x0b', '\x0b'],
    ['a\\Rb', 'a\r\nb', 'a\r\nb'],
    ['\\N', '\nx', 'x'],
    ['\\s', '\x0b', '\x0b'],
    ['\\s', '\xa0', undefined],
    ['\\w', '\xe9', undefined],
    ['[[:alpha:]]+', '1ab_', 'ab'],
    ['[[:^digit:]x]', '1x', 'x'],
    ['[]a]+', 'x]a', ']a'],
    ['[^]a]', ']ab', 'b'],
    ['[a-]+', '-a', '-a'],
    ['[\\d-z]+', '1-z', '1-z'],
    ['[\\b]', '\b', '\b'],
    ['[\\x41-\\x{43}]+', 'ABCD', 'ABC'],
    ['\\x41\\o{102}', 'AB', 'AB'],
    ['\\cA\\e\\0', '\x01\x1b\0', '\x01\x1b\0'],
    ['\\Qa.b\\E+', 'a.bb', 'a.bb'],
    ['\\Qa|(', 'a|(', 'a|('],
    ['a{,3}', 'a{,3}', 'a{,3}'],
    ['a{x', 'a{x', 'a{x'],
    ['a}b]', 'a}b]', 'a}b]'],
    ['a(?#comment)b', 'ab', 'ab'],
    ['a{2,3}', 'aaaa', 'aaa'],
    ['a{2,}?', 'aaaa', 'aa'],
    ['[a-z]++1', 'ab1', 'ab1'],
    ['a*+$', 'aa', 'aa'],
    ['(?:a|b++)c', 'bbc', 'bbc'],
    ['/\\-\\/\\"', '/-/"', '/-/"'],
    ['é+', 'caf\xc3\xa9', '\xc3\xa9'],
    ['[é]', '\xa9', '\xa9'],
    ['^.$', '\xc3\xa9', undefined],
    ['', 'x', ''],
    ['a|', 'x', ''],
    ['[^\\s\\S]', 'x', undefined],
  ];
  for (const [pattern, text, matched] of cases) {
    assert.equal(regex(pattern).exec(text)?.captures[0], matched, pattern);
    assert.equal(regex(pattern).test(text), matched !== undefined, pattern);
  }
});

test('options are the flags of the pattern', () => {
  assert.equal(regex('aé', { ignoreCase: true }).test('A\xc3\xa9'), true);
  assert.equal(regex('A[b-c]', { ignoreCase: true }).test('aC'), true);
  assert.equal(regex('a.b', { dotAll: true }).test('a\nb'), true);
  assert.equal(regex('^b', { multiline: true }).test('a\nb'), true);
  assert.equal(regex('(?-i)a', { ignoreCase: true }).test('A'), false);
});

test('what cannot be matched in linear time, and what is malformed, is refused by its name', () => {
  const cases: ReadonlyArray<readonly [pattern: string, message: string]> = [
    ['a(?=b)', 'look-around is not supported (at offset 1)'],
    ['(?!a)', 'look-around is not supported (at offset 0)'],
    ['(?<=a)b', 'look-around is not supported (at offset 0)'],
    ['(?<!a)b', 'look-around is not supported (at offset 0)'],
    ['(a)\\1', 'back-references are not supported (at offset 3)'],
    ['(?<n>a)\\k<n>', 'back-references are not supported (at offset 7)'],
    ['(?P<n>a)(?P=n)', 'back-references are not supported (at offset 8)'],
    ['(a)\\g{1}', 'back-references and recursion are not supported (at offset 3)'],
    ['(?>a)', 'atomic groups are not supported (at offset 0)'],
    ['(?|a)', 'branch reset groups are not supported (at offset 0)'],
    ['(?R)', 'recursion is not supported (at offset 0)'],
    ['(a)(?1)', 'recursion is not supported (at offset 3)'],
    ['(?-1)', 'recursion is not supported (at offset 0)'],
    ['(?&n)', 'recursion is not supported (at offset 0)'],
    ['(?P>n)', 'recursion is not supported (at offset 0)'],
    ['(?(1)a)', 'conditional groups are not supported (at offset 0)'],
    ['(?C1)', 'callouts are not supported (at offset 0)'],
    ['(*UTF8)a', 'verbs such as (*SKIP) are not supported (at offset 0)'],
    ['(?x)a b', 'the flag x is not supported (at offset 0)'],
    ['(?', 'unrecognized character after (? (at offset 0)'],
    ['(?<1>a)', 'malformed name of a group (at offset 0)'],
    ['(?<a>b)(?<a>c)', 'two groups have the same name (at offset 7)'],
    ['\\p{L}', 'Unicode properties are not supported, texts are matched byte by byte (at offset 0)'],
    ['\\x{100}', 'the character of an escape is beyond \\xff, texts are matched byte by byte (at offset 0)'],
    ['\\Z', '\\Z is not supported, use $ or \\z: both match at the end of the text only (at offset 0)'],
    ['\\K', '\\K is not supported (at offset 0)'],
    ['\\y', 'unknown escape \\y (at offset 0)'],
    ['\\', '\\ at end of pattern (at offset 0)'],
    ['\\o{9}', 'malformed escape (at offset 0)'],
    ['[a', 'missing terminating ] for character class (at offset 0)'],
    ['[]', 'missing terminating ] for character class (at offset 0)'],
    ['[a\\', '\\ at end of pattern (at offset 2)'],
    ['[b-a]', 'range out of order in character class (at offset 1)'],
    ['[a-\\d]', 'invalid range in character class (at offset 1)'],
    ['[[:nope:]]', 'unknown POSIX class name (at offset 1)'],
    ['[[.a.]]', 'POSIX collating elements are not supported (at offset 1)'],
    ['(a', 'missing closing parenthesis (at offset 0)'],
    ['a)', 'unmatched closing parenthesis (at offset 1)'],
    ['*a', 'quantifier does not follow a repeatable item (at offset 0)'],
    ['a**', 'quantifier does not follow a repeatable item (at offset 2)'],
    ['a|?', 'quantifier does not follow a repeatable item (at offset 2)'],
    ['^*', 'quantifier does not follow a repeatable item (at offset 0)'],
    ['a{3,2}', 'numbers out of order in {} quantifier (at offset 0)'],
    ['a{1001}', 'a repetition of more than 1000 is not supported (at offset 0)'],
    ['(?#a', 'missing ) after (?# comment (at offset 0)'],
    ['a++a', 'a possessive quantifier is supported only behind a character or set with which nothing that follows can begin'],
    ['(ab)++c', 'a possessive quantifier is supported only behind a character or set with which nothing that follows can begin'],
    ['[a-]++\\b', 'a possessive quantifier is supported only behind a character or set with which nothing that follows can begin'],
  ];
  for (const [pattern, message] of cases) assert.equal(messageOf(pattern), message, pattern);
});

test('the size of a pattern is bounded', () => {
  assert.equal(messageOf('a'.repeat(4097)), 'the pattern has more than 4096 characters');
  assert.equal(messageOf(`${'(?:'.repeat(251)}a${')'.repeat(251)}`), 'parentheses are nested too deeply (at offset 750)');
  assert.equal(regex(`^${'('.repeat(64)}a${')'.repeat(64)}`).test('a'), true);
  assert.equal(messageOf('(a)'.repeat(65)), 'more than 64 captures are not supported, use (?: (at offset 192)');
  assert.match(messageOf('(?:[ax]?){1000}(?:y+)+'), /^the pattern is too large: each/);
  assert.match(messageOf('(?:x{100}){100}(?:y+)+'), /^the pattern is too large: 5000/);
  assert.match(messageOf('((((((x{1000}){1000}){1000}){1000}){1000}){1000}){1000}'), /^the pattern is too large/);
  assert.match(messageOf('(a{1,100}b?){1,40}'), /^the pattern is too large: repetitions/);
  const names = Array.from({ length: 350 }, (_, index) => `robot${index}`).join('|');
  assert.equal(regex(names).engine, 're2');
});

test('matches are replaced once or all, with captures put in', () => {
  const cases: ReadonlyArray<readonly [pattern: string, text: string, replacement: string, once: string, all: string]> = [
    ['b', 'abcb', 'x', 'axcb', 'axcx'],
    ['z', 'abc', 'x', 'abc', 'abc'],
    ['(a)(b)?', 'abac', '[$1$2]', '[ab]ac', '[ab][a]c'],
    ['(a)', 'a', '$0${0}$1${1}0', 'aaaa0', 'aaaa0'],
    ['(a)', 'a', '$10', '', ''],
    ['(a)', 'a', '$$1 $ $x ${', '$1 $ $x ${', '$1 $ $x ${'],
    ['(?<n>a)b', 'ab', '${n}-${m}', 'a-', 'a-'],
    ['b*', 'abc', '-', '-abc', '-a--c-'],
    ['$', 'ab', '!', 'ab!', 'ab!'],
    ['^a', 'aaa', '', 'aa', 'aa'],
    ['\\ba', 'aa a', 'x', 'xa a', 'xa x'],
    ['^/old/(.*)', '/old/x/y', '/new/$1', '/new/x/y', '/new/x/y'],
    ['(a+)+', 'aa b aa', '<$1>', '<aa> b aa', '<aa> b <aa>'],
    ['a', 'a', 'é', '\xc3\xa9', '\xc3\xa9'],
    ['a', 'aa', '', 'a', ''],
  ];
  for (const [pattern, text, replacement, once, all] of cases) {
    const compiled = regex(pattern);
    assert.equal(compiled.replace(text, compileReplacement(replacement), 'once'), once, pattern);
    assert.equal(compiled.replace(text, compileReplacement(replacement), 'global'), all, pattern);
  }
});

test('a replacement that would read a long text again and again is given up, and no other', () => {
  const long = 'a'.repeat(20_000);
  assert.throws(() => regex('a(?:.*b)?').replace(long, compileReplacement('x'), 'global'), RangeError);
  assert.equal(regex('a(?:.*b)?').replace('a'.repeat(5000), compileReplacement('x'), 'global').length, 5000);
  assert.equal(regex('a(?:.*b)?').replace(long, compileReplacement('x'), 'once').length, 20_000);
  assert.equal(regex('a').replace(long, compileReplacement('xy'), 'global').length, 40_000);
});

test('ordinary patterns find what JavaScript finds, whichever engine was chosen', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    'c',
    '[ab]',
    '[^b]',
    '.',
    '\\d',
    '\\w',
    '^',
    '$',
    '(a|b)',
    '(?:ab|c)',
    '(b)',
    '|',
    '1',
    '\\.',
    '\\b',
  );
  const quantified = fc
    .tuple(piece, fc.constantFrom('', '', '', '*', '+', '?', '*?', '{2}', '{1,2}'))
    .map(([text, quantifier]) => (/^(?:[\^$|]|\\b)$/.test(text) ? text : text + quantifier));
  const pattern = fc.array(quantified, { maxLength: 6 }).map((pieces) => pieces.join(''));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', ' '), maxLength: 12 });
  const engines = new Set<string>();
  fc.assert(
    fc.property(pattern, text, fc.boolean(), (source, subject, ignoreCase) => {
      const safe = regex(source, { ignoreCase });
      engines.add(safe.engine);
      const native = new RegExp(source, ignoreCase ? 'i' : '');
      const expected = native.exec(subject);
      const found = safe.exec(subject);
      assert.deepEqual(found && [found.index, ...found.captures], expected ? [expected.index, ...expected] : undefined);
      assert.equal(safe.test(subject), expected !== null);
      const all = subject.replaceAll(new RegExp(source, ignoreCase ? 'gi' : 'g'), '<$&>');
      assert.equal(safe.replace(subject, compileReplacement('<$0>'), 'global'), all);
    }),
    { numRuns: 2000 },
  );
  assert.deepEqual([...engines].sort(), ['native', 're2']);
});

test('no text at all makes the compiler throw', () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 2 }),
    fc.constantFrom('(', ')', '[', ']', '{', '}', '?', '*', '+', '\\', '|', '^', '-', ':', '(?', '(?<', '\\Q', '\\x{', '{2,', 'é'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.string(), (pieces, text) => {
      const compiled = compileRegex(pieces.join(''));
      if (compiled.kind === 'regex') compiled.test(byteStringOf(text));
      else assert.notEqual(compiled.message, '');
    }),
    { numRuns: 3000 },
  );
});
