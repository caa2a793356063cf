import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSmallDisk } from '../../test-support/small-disk.ts';
import { PortcullisError, StartError } from '../errors/index.ts';
import { explainFullDisk } from './explain-full-disk.ts';

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function wrapped(code: string): Error {
  return new PortcullisError('store_unavailable', { detail: 'the store failed', cause: failure(code) });
}

test('a start that failed for want of room says so in a sentence, whatever was being written', () => {
  for (const error of [failure('ENOSPC'), failure('EDQUOT'), wrapped('SQLITE_FULL')]) {
    const explained = explainFullDisk(error, '/data');
    assert.ok(explained instanceof StartError);
    assert.equal(explained.message, 'The disk that holds the data folder /data is full: free some space and start again.');
  }
});

test('every other failure stays what it is', () => {
  for (const error of [failure('EACCES'), wrapped('SQLITE_CORRUPT'), new StartError('A sentence.'), 'text', undefined]) {
    assert.equal(explainFullDisk(error, '/data'), error);
  }
});

test('what SQLite calls an error of the disk is one of a full disk where that is full, and only there', async (t) => {
  const error = wrapped('SQLITE_IOERR_SHMSIZE');
  const full = await makeSmallDisk(t, 64 * 1024);
  if (full !== undefined) assert.ok(explainFullDisk(error, full) instanceof StartError);
  const roomy = await makeSmallDisk(t, 8 * 1024 * 1024);
  if (roomy !== undefined) assert.equal(explainFullDisk(error, roomy), error);
});
