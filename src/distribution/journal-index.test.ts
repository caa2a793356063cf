import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CRASHED, type JournalEntry, JournalIndex } from './journal-index.ts';

const HISTORY = { history: 'a session' };
const ORIGIN = { groupId: 'default', keySalt: '', signingKey: '' };

function snapshot(revision: number, file: number): JournalEntry {
  return {
    kind: 'snapshot',
    fromRevision: 0,
    toRevision: revision,
    place: { file, offset: 0, index: 0 },
    bytes: 100,
    origin: ORIGIN,
    ...HISTORY,
  };
}

function delta(fromRevision: number, toRevision: number, file = 1): JournalEntry {
  return {
    kind: 'delta',
    fromRevision,
    toRevision,
    place: { file, offset: toRevision, index: toRevision },
    bytes: 10,
    origin: ORIGIN,
    ...HISTORY,
  };
}

function indexOf(...entries: readonly JournalEntry[]): JournalIndex {
  const index = new JournalIndex();
  for (const entry of entries) index.add(entry);
  return index;
}

describe('what a journal leads to', () => {
  test('deltas count only where they lead on without a gap', () => {
    assert.equal(indexOf(snapshot(5, 1), delta(5, 6), delta(7, 8)).chain?.revision, 6);
    assert.equal(indexOf(snapshot(5, 1), delta(3, 7), delta(5, 6), delta(6, 9)).chain?.revision, 9);
    assert.equal(indexOf(delta(5, 6)).chain, undefined);
  });

  test('a newer snapshot replaces everything, and its file is the oldest useful one once it is good', () => {
    const index = indexOf(snapshot(5, 1), delta(5, 6));
    index.noteGood(6);
    index.add(snapshot(7, 2));
    assert.equal(index.chain?.revision, 7);
    assert.equal(index.oldestUsefulFile, 1);
    index.noteGood(6);
    assert.equal(index.oldestUsefulFile, 1);
    index.noteGood(7);
    assert.equal(index.oldestUsefulFile, 2);
    assert.equal(index.hasCandidates, false);
  });

  test('skipped entries lead nowhere, and what comes after builds on the one before them', () => {
    const index = indexOf(snapshot(5, 1), delta(5, 6));
    index.noteGood(6);
    index.add(delta(6, 7));
    index.add(snapshot(8, 2));
    index.noteRefused({ revision: 8, reason: CRASHED }, index.entriesAfterGood());
    assert.equal(index.chain?.revision, 6);
    assert.equal(index.hasCandidates, false);
    assert.deepEqual(
      index.skippedAhead().map((entry) => entry.toRevision),
      [7, 8],
    );
    assert.equal(index.newestSeen, 8);

    index.add(delta(6, 9, 2));
    assert.equal(index.chain?.revision, 9);
    assert.equal(index.refused, undefined);
    assert.deepEqual(index.skippedAhead(), []);
    index.noteGood(9);
    assert.equal(index.oldestUsefulFile, 1);
  });

  test('a refusal of entries of which damage has left fewer skips none that has proved itself', () => {
    const index = indexOf(snapshot(5, 1), delta(5, 6));
    index.noteGood(6);
    index.add(delta(6, 7, 2));
    index.noteRefused({ revision: 9, reason: CRASHED }, 3);
    assert.equal(index.chain?.revision, 6);
    index.noteRefused({ revision: 9, reason: CRASHED }, 3);
    assert.equal(index.chain?.revision, 6);
  });

  test('sizes are those of the entries in force', () => {
    const index = indexOf(snapshot(5, 1), delta(5, 6), delta(6, 7));
    assert.deepEqual(index.sizes, { snapshotBytes: 100, deltaBytes: 20, deltaCount: 2 });
    index.noteRefused({ revision: 7, reason: 'no' }, 1);
    assert.deepEqual(index.sizes, { snapshotBytes: 100, deltaBytes: 10, deltaCount: 1 });
  });
});
