import assert from 'node:assert/strict';
import test from 'node:test';
import { ERROR_CODES, PortcullisError, StartError } from './index.ts';

test('an error takes status, source, retry and text from its row of the table', () => {
  const error = new PortcullisError('connect_refused');
  assert.equal(error.code, ERROR_CODES.connect_refused);
  assert.equal(error.publicMessage, 'the upstream refused the connection');
  assert.equal(error.message, error.publicMessage);
  assert.equal('cause' in error, false);
});

test('what goes to the log never replaces what the client is told', () => {
  const cause = new Error('ECONNREFUSED');
  const error = new PortcullisError('connect_refused', { detail: 'node 10.0.0.1:80', cause });
  assert.equal(error.publicMessage, 'the upstream refused the connection');
  assert.equal(error.message, 'node 10.0.0.1:80');
  assert.equal(error.cause, cause);
});

test('a more exact text for the client replaces the text of the table', () => {
  assert.equal(new PortcullisError('admin_invalid', { publicMessage: 'wrong username' }).publicMessage, 'wrong username');
});

test('a start error carries its one sentence', () => {
  assert.equal(new StartError('Port 7443 is in use.').message, 'Port 7443 is in use.');
});
