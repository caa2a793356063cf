import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG, FRAME } from '../../testing/http2-frames.ts';
import { Http2SessionSubject } from '../../testing/http2-session-subject.ts';
import { StoredBytes } from './stored-bytes.ts';

const WINDOW = 10_000;
const CANCEL = Buffer.from([0, 0, 0, 8]);

function started(stored: StoredBytes): Http2SessionSubject {
  const subject = new Http2SessionSubject({ streamWindowBytes: WINDOW, largestWindowBytes: WINDOW * 4, windowBytes: 1_000_000, stored });
  subject.begin();
  subject.request(1, false);
  subject.frames();
  return subject;
}

/** Sends half of the first window so many times; what room the stream was given each time. */
function roomGiven(subject: Http2SessionSubject, times: number): number[] {
  return Array.from({ length: times }, () => {
    subject.send(FRAME.data, 0, 1, Buffer.alloc(WINDOW / 2));
    return subject
      .frames()
      .filter(({ type, stream }) => type === FRAME.windowUpdate && stream === 1)
      .reduce((total, { payload }) => total + payload.readUInt32BE(0), 0);
  });
}

test('a window doubles while its reader keeps up, to its bound', () => {
  const given = roomGiven(started(new StoredBytes(1000)), 30);
  const sent = 30 * (WINDOW / 2);
  const left = WINDOW + given.reduce((total, bytes) => total + bytes, 0) - sent;
  assert.ok(left > WINDOW * 2 && left <= WINDOW * 4, `${left}`);
});

test('a window does not grow while too much is kept, and one that keeps nothing goes on', () => {
  const stored = new StoredBytes(1000);
  stored.add(1000);
  assert.deepEqual(
    roomGiven(started(stored), 10),
    Array.from({ length: 10 }, () => WINDOW / 2),
  );
});

test('a reader that has lagged has its first window again, and no byte is lost', () => {
  const subject = started(new StoredBytes(Number.POSITIVE_INFINITY));
  roomGiven(subject, 30);
  const stream = subject.streams[0] ?? assert.fail();
  for (let round = 0; round < 6; round++) {
    stream.pause();
    for (let sent = 0, most = stream.receiveWindow; sent < most; sent += 5_000) {
      subject.send(FRAME.data, 0, 1, Buffer.alloc(Math.min(5_000, most - sent)));
    }
    stream.resume();
    subject.frames();
  }
  assert.equal(stream.receiveWindow, WINDOW);
  assert.equal(subject.session.stored.total, 0);
});

for (const end of ['taken', 'reset here', 'reset there', 'connection lost', 'connection ended'] as const) {
  test(`what a stream keeps both ways is given back: ${end}`, () => {
    const stored = new StoredBytes(1_000_000);
    const subject = started(stored);
    // The client takes nothing of what is sent to it.
    subject.send(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
    const stream = subject.streams[0] ?? assert.fail();
    stream.pause();
    subject.send(FRAME.data, 0, 1, Buffer.alloc(3_000));
    stream.write(Buffer.alloc(70_000), 0, 70_000);
    assert.ok(stored.total > 3_000 + 65_000, `${stored.total}`);
    if (end === 'taken') {
      stream.resume();
      subject.send(FRAME.windowUpdate, 0, 1, Buffer.from([0, 1, 0x11, 0x70]));
      subject.send(FRAME.windowUpdate, 0, 0, Buffer.from([0, 1, 0x11, 0x70]));
    } else if (end === 'reset here') stream.reset(8);
    else if (end === 'reset there') subject.send(FRAME.rstStream, 0, 1, CANCEL);
    else if (end === 'connection lost') subject.session.onClose('ECONNRESET');
    else subject.session.destroy();
    subject.frames();
    assert.equal(stored.total, 0);
  });
}

test('what came before an orderly end is counted until it is taken, or its reader gives up', () => {
  for (const gives of ['takes', 'resets']) {
    const stored = new StoredBytes(1_000_000);
    const subject = started(stored);
    const stream = subject.streams[0] ?? assert.fail();
    stream.pause();
    subject.send(FRAME.data, FLAG.endStream, 1, Buffer.alloc(3_000));
    stream.end();
    subject.frames();
    assert.equal(stored.total, 3_000);
    if (gives === 'takes') stream.resume();
    else stream.reset(8);
    subject.frames();
    assert.equal(stored.total, 0);
  }
});
