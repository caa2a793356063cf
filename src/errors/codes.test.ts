import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { renderErrorsPage } from '../../scripts/generate-errors.ts';
import { ERROR_CODES } from './index.ts';

test('the page of errors is what the generator makes of the table', async () => {
  const page = await readFile(path.join(import.meta.dirname, '..', '..', 'docs', 'reference', 'errors.md'), 'utf8');
  assert.equal(page, renderErrorsPage(), 'run: node scripts/generate-errors.ts');
});

test('a changed row changes the page', () => {
  const changed = { ...ERROR_CODES, dns: { ...ERROR_CODES.dns, status: 500 } };
  assert.notEqual(renderErrorsPage(changed), renderErrorsPage());
});

test('every reason is a snake-case word, has a status that fits its source, and a text unless nothing can be sent', () => {
  for (const [reason, { status, source, publicMessage }] of Object.entries(ERROR_CODES)) {
    assert.match(reason, /^[a-z]+(?:_[a-z]+)*$/);
    assert.equal(publicMessage === '', status === 0, reason);
    if (source === 'upstream' || source === 'store') assert.ok(status === 0 || status >= 500, reason);
    if (source === 'client') assert.ok(status < 500 || status === 501 || status === 505, reason);
  }
});

test('only failures on the way to an upstream, overload and an unavailable store may be tried again', () => {
  const retried = Object.entries(ERROR_CODES).filter(([, { retry }]) => retry !== 'no');
  assert.deepEqual(
    retried.map(([reason]) => reason),
    [
      'too_many_connections',
      'too_many_connections_of_client',
      'service_overloaded',
      'nodes_overloaded',
      'too_many_upstream_connections',
      'out_of_descriptors',
      'configuration_too_old',
      'connect_refused',
      'connect_failed',
      'connect_timeout',
      'upstream_tls_failed',
      'upstream_certificate_invalid',
      'upstream_closed',
      'upstream_uninvited',
      'upstream_refused_stream',
      'upstream_cancelled',
      'upstream_reset',
      'upstream_send_timeout',
      'upstream_read_timeout',
      'join_too_often',
      'admin_busy',
      'keyring_lacks_key',
      'store_replaced',
      'store_unavailable',
    ],
  );
});
