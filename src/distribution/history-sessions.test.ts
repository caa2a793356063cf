import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beginSession, encodeSessions, type HistorySession, isInSession, parseSessions } from './history-sessions.ts';

function sessionsOf(...starts: readonly (readonly [id: string, revision: number])[]): readonly HistorySession[] {
  let sessions: readonly HistorySession[] = [];
  for (const [id, revision] of starts) sessions = beginSession(sessions, id, [{ id: 'default', revision }]);
  return sessions;
}

describe('which revisions are of a history', () => {
  test('a session reaches from its first revision to the first one of the next session, both included', () => {
    const sessions = sessionsOf(['a', 0], ['b', 4], ['c', 7]);
    const accepted = (id: string): readonly number[] =>
      [0, 1, 3, 4, 5, 7, 8, 1e9].filter((revision) => isInSession(sessions, 'default', revision, id));
    assert.deepEqual(accepted('a'), [0, 1, 3, 4]);
    assert.deepEqual(accepted('b'), [4, 5, 7]);
    assert.deepEqual(accepted('c'), [7, 8, 1e9]);
    assert.deepEqual(accepted('unknown'), []);
    assert.deepEqual(accepted(''), []);
    assert.deepEqual(accepted('__proto__'), []);
  });

  test('what came after a backup is not of the history that goes on from it, whatever numbers it reaches again', () => {
    const backup = encodeSessions(sessionsOf(['a', 2]));
    const first = beginSession(parseSessions(backup), 'b', [{ id: 'default', revision: 4 }]);
    assert.equal(isInSession(first, 'default', 4, 'a'), true);
    assert.equal(isInSession(first, 'default', 6, 'a'), false);
    // The same backup once more.
    const second = beginSession(parseSessions(backup), 'c', [{ id: 'default', revision: 4 }]);
    assert.equal(isInSession(second, 'default', 5, 'b'), false);
    assert.equal(isInSession(second, 'default', 4, 'b'), false);
    assert.equal(isInSession(second, 'default', 6, 'c'), true);
  });

  test('each group has its own revisions, and one that came later begins at none', () => {
    const one = beginSession([], 'a', [{ id: 'default', revision: 9 }]);
    const two = beginSession(one, 'b', [
      { id: 'default', revision: 9 },
      { id: 'later', revision: 3 },
    ]);
    assert.equal(isInSession(two, 'later', 2, 'a'), true);
    assert.equal(isInSession(two, 'later', 4, 'a'), false);
    assert.equal(isInSession(two, 'later', 2, 'b'), false);
    assert.equal(isInSession(two, 'unheard-of', 1, 'a'), false);
    assert.equal(isInSession(two, 'unheard-of', 1, 'b'), true);
  });

  test('a start without a write in between leaves what was held as it is', () => {
    const sessions = sessionsOf(['a', 3], ['b', 6], ['c', 6], ['d', 6]);
    for (const id of ['a', 'b', 'c', 'd']) assert.equal(isInSession(sessions, 'default', 6, id), true, id);
  });
});

describe('the sessions that a store keeps', () => {
  test('are read back as they were written', () => {
    const sessions = sessionsOf(['a', 0], ['b', 4]);
    assert.deepEqual(parseSessions(encodeSessions(sessions)), sessions);
    assert.deepEqual(parseSessions(undefined), []);
  });

  test('are none when the text is not what was written', () => {
    const wrong = [
      '',
      '{}',
      '[1]',
      '[{"id":1,"firstRevisions":[]}]',
      '[{"id":"a"}]',
      '[{"id":"a","firstRevisions":[["g"]]}]',
      '[{"id":"a","firstRevisions":[["g",-1]]}]',
    ];
    for (const text of wrong) assert.deepEqual(parseSessions(Buffer.from(text)), [], text);
  });

  test('are the newest thousand', () => {
    const sessions = sessionsOf(...Array.from({ length: 1_010 }, (_, i) => [`s${i}`, i + 1] as const));
    assert.equal(sessions.length, 1_000);
    assert.equal(sessions[0]?.id, 's10');
    assert.equal(isInSession(sessions, 'default', 5, 's4'), false);
    assert.equal(isInSession(sessions, 'default', 11, 's10'), true);
  });

  test('are fewer in a store of many groups, but always the present one', () => {
    const groups = Array.from({ length: 20_000 }, (_, i) => ({ id: `g${i}`, revision: 1 }));
    let sessions: readonly HistorySession[] = [];
    for (const id of ['a', 'b', 'c']) sessions = beginSession(sessions, id, groups);
    assert.deepEqual(
      sessions.map((session) => session.id),
      ['b', 'c'],
    );
    const huge = Array.from({ length: 60_000 }, (_, i) => ({ id: `g${i}`, revision: 1 }));
    assert.deepEqual(
      beginSession(sessions, 'd', huge).map((session) => session.id),
      ['d'],
    );
  });
});
