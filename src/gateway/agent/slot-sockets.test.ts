import assert from 'node:assert/strict';
import test from 'node:test';
import { SlotSockets } from './slot-sockets.ts';

const own = { addresses: [{ host: '127.0.0.1', port: 0 }], reusePort: true };

test('each generation takes copies of every socket that none before it has used', () => {
  const sockets = new SlotSockets(
    {
      httpDescriptors: [
        [
          [3, 4],
          [5, 6],
        ],
        [
          [7, 8],
          [9, 10],
        ],
      ],
      httpsDescriptors: [],
    },
    own,
  );
  assert.deepEqual(
    sockets.take([])?.map((socket) => socket.fds),
    [
      [3, 4],
      [7, 8],
    ],
  );
  assert.equal(sockets.usedUp, false);
  assert.deepEqual(
    sockets.take([])?.map((socket) => socket.fds),
    [
      [5, 6],
      [9, 10],
    ],
  );
  assert.equal(sockets.usedUp, true);
  assert.equal(sockets.take([]), undefined);
});

test('without handed-down sockets every generation listens on the port that the first one got', () => {
  const sockets = new SlotSockets({ httpDescriptors: [], httpsDescriptors: [] }, own);
  assert.deepEqual(sockets.take([]), [{ fds: [], host: '127.0.0.1', port: 0, reusePort: true }]);
  assert.deepEqual(sockets.take([4711]), [{ fds: [], host: '127.0.0.1', port: 4711, reusePort: true }]);
  assert.equal(sockets.usedUp, false);
});
