import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalisePath } from './normalise-path.ts';
import { readsAlikeStripped } from './reads-alike-stripped.ts';
import { stripPathPrefix } from './strip-path-prefix.ts';

test('encoded separators may stand in what is left, but not climb out of it', () => {
  const cases: ReadonlyArray<readonly [path: string, prefix: string, isAlike: boolean]> = [
    ['/api/a%2Fb', '/api', true],
    ['/api/a%5Cb%20c', '/api', true],
    ['/%61pi/a%2fb', '/api', true],
    ['/api/a/b%2F..%2Fc', '/api', true],
    ['/api/%2Fa', '/api', true],
    ['/acme/pub/a%2Fb', '/:tenant', true],
    ['/admin/pub/..%2f..%2fadmin/pub/x', '/:tenant', false],
    ['/admin/pub/%2e%2e%5c..%5cadmin/pub/x', '/:tenant', false],
    ['/admin/pub/x/..%2f..%2f..%2fadmin%2fpub/x', '/:tenant', false],
    ['/api/a%2F..%2F..%2Fapi/x', '/api', false],
    ['/api/..%2Fapi', '/api', false],
    ['/a/b/x%2F..%2F..%2Fb/y', '/a/b', false],
  ];
  for (const [path, prefix, isAlike] of cases) assert.equal(readsAlikeStripped(path, prefix), isAlike, path);
});

test('what passes is read by an upstream as the whole path without its prefix', () => {
  const piece = fc.constantFrom('/', '..', '%2F', '%5C', '%2e', 'api', 'a', '%61', '.', '%20', '%252F');
  const paths = fc.array(piece, { maxLength: 12 }).map((pieces) => `/api/${pieces.join('')}`);
  fc.assert(
    fc.property(paths, (raw) => {
      const whole = normalisePath(raw);
      if (whole.kind === 'refused' || whole.separatorPath === undefined || !`${whole.separatorPath}/`.startsWith('/api/')) return;
      if (!readsAlikeStripped(whole.forwardPath, '/api')) return;
      const stripped = normalisePath(stripPathPrefix(whole.forwardPath, '/api'));
      assert.ok(stripped.kind === 'ok');
      assert.equal(stripped.separatorPath ?? stripped.path, whole.separatorPath.slice('/api'.length) || '/');
    }),
    { numRuns: 3000 },
  );
});
